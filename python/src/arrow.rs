//! Tables in memory: what Python hands in, and what it gets.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch, RecordBatchReader};
use arrow_schema::{DataType, SchemaRef};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList, PyType};
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;
use retold::input::{Cell, HeldTable, cell_of_arrow as cell};

/// A table of Arrow: batches of one schema.
///
/// Anything that reads Arrow streams takes it: `pyarrow.table(t)`, `polars.DataFrame(t)`, DuckDB by its variable's
/// name.
#[pyclass(module = "retold._retold", frozen)]
#[derive(Clone, Debug)]
pub struct ArrowTable {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}

#[pymethods]
impl ArrowTable {
    /// Takes all batches of an object that has `__arrow_c_stream__` or `__arrow_c_array__`. Nothing is copied.
    #[classmethod]
    fn from_arrow(_class: &Bound<'_, PyType>, py: Python<'_>, data: AnyRecordBatch) -> PyResult<ArrowTable> {
        let reader = data.into_reader()?;
        let schema = reader.schema();
        // A stream may be made as it is read, by whoever else needs the interpreter.
        let batches = py.detach(|| reader.collect::<Result<Vec<RecordBatch>, _>>());
        let batches = batches.map_err(|error| PyTypeError::new_err(error.to_string()))?;
        Ok(ArrowTable { schema, batches })
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let table = Bound::new(py, PyTable::try_new(self.batches.clone(), self.schema.clone())?)?;
        table.call_method1("__arrow_c_stream__", (requested_schema,))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let table = Bound::new(py, PyTable::try_new(Vec::new(), self.schema.clone())?)?;
        table.call_method0("__arrow_c_schema__")
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Returns the names of the columns, in order.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Returns rows `start` to `stop` as dictionaries. Columns of types that our own tables do not have are an error.
    fn rows<'py>(&self, py: Python<'py>, start: usize, stop: usize) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let mut found = Vec::new();
        let mut first = 0;
        for batch in &self.batches {
            let end = first + batch.num_rows();
            for row in start.max(first)..stop.min(end) {
                let values = PyDict::new(py);
                for (field, column) in self.schema.fields().iter().zip(batch.columns()) {
                    values.set_item(field.name(), value(py, column, row - first)?)?;
                }
                found.push(values);
            }
            first = end;
        }
        Ok(found)
    }
}

/// Returns a cell as a value of Python.
fn value<'py>(py: Python<'py>, array: &dyn Array, at: usize) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(at) {
        return Ok(py.None().into_bound(py));
    }
    Ok(match array.data_type() {
        DataType::Boolean => array.as_boolean().value(at).into_pyobject(py)?.to_owned().into_any(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(at).into_pyobject(py)?.into_any(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(at).into_pyobject(py)?.into_any(),
        DataType::List(_) => {
            let values = array.as_list::<i32>().value(at);
            let values = (0..values.len()).map(|at| value(py, &values, at)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, values)?.into_any()
        }
        _ => match cell(array, at) {
            Cell::Text(text) => text.into_pyobject(py)?.into_any(),
            _ => {
                let message = format!("a column of type {} is not shown row by row", array.data_type());
                return Err(PyTypeError::new_err(format!("{message}: take the table as `pyarrow.table(table)`")));
            }
        },
    })
}

/// A column that is a value, or part of one: its name, as `page.title`, and the way to it.
#[derive(Debug)]
struct Leaf {
    name: String,
    way: Vec<usize>,
}

/// A table whose rows are documents.
#[derive(Debug)]
pub struct Held {
    table: ArrowTable,
    leaves: Vec<Leaf>,
    /// The number of the first row of each batch.
    starts: Vec<u64>,
    rows: u64,
    bytes: u64,
}

impl Held {
    /// Takes a table. Columns of objects are taken apart, as those of Parquet files are.
    pub fn new(table: ArrowTable) -> Held {
        let mut leaves = Vec::new();
        for (number, field) in table.schema.fields().iter().enumerate() {
            leaves_of(field.name().clone(), field.data_type(), vec![number], &mut leaves);
        }
        let (mut starts, mut rows) = (Vec::with_capacity(table.batches.len()), 0);
        for batch in &table.batches {
            starts.push(rows);
            rows += batch.num_rows() as u64;
        }
        // What a slice holds is less than what it keeps alive, but nobody counts that without reading it.
        let bytes = table.batches.iter().map(|batch| batch.get_array_memory_size() as u64).sum();
        Held { table, leaves, starts, rows, bytes }
    }

    /// Returns it as the library takes it.
    pub fn shared(table: ArrowTable) -> Arc<dyn HeldTable> {
        Arc::new(Held::new(table))
    }
}

fn leaves_of(name: String, kind: &DataType, way: Vec<usize>, leaves: &mut Vec<Leaf>) {
    match kind {
        DataType::Struct(fields) => {
            for (number, field) in fields.iter().enumerate() {
                let way = [way.as_slice(), &[number]].concat();
                leaves_of(format!("{name}.{}", field.name()), field.data_type(), way, leaves);
            }
        }
        _ => leaves.push(Leaf { name, way }),
    }
}

impl HeldTable for Held {
    fn columns(&self) -> Vec<String> {
        self.leaves.iter().map(|leaf| leaf.name.clone()).collect()
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn cell(&self, row: u64, column: usize) -> Cell<'_> {
        let batch = self.starts.partition_point(|start| *start <= row) - 1;
        let at = (row - self.starts[batch]) as usize;
        let (first, rest) = self.leaves[column].way.split_first().expect("a way has a first step");
        let mut array = self.table.batches[batch].column(*first);
        for step in rest {
            if array.is_null(at) {
                return Cell::Null;
            }
            array = array.as_struct().column(*step);
        }
        cell(array, at)
    }
}
