//! Which fields of a record mean what, and reading them out of JSON without touching the others.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What a field may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Text,
    Id,
    Url,
    Site,
    Title,
    Date,
    /// The field inside whose values documents are compared: it has no published name and is not in [`Field::ALL`].
    Within,
}

impl Field {
    pub const ALL: [Field; 6] = [Field::Text, Field::Id, Field::Url, Field::Site, Field::Title, Field::Date];

    /// Returns the published names, the first that a record has wins.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Field::Text => &["text", "content", "body", "article", "maintext", "raw_text", "articleBody"],
            Field::Id => &["id", "doc_id", "record_id"],
            Field::Url => &["url", "link", "source_url", "canonical_url"],
            Field::Site => &["site", "hostname", "domain", "source_domain"],
            Field::Title => &["title", "headline"],
            Field::Date => &["date", "date_publish", "published", "publish_date"],
            Field::Within => &[],
        }
    }
}

/// One meaning of a field name; a lower rank wins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meaning {
    pub field: Field,
    pub rank: u8,
}

/// The field names of a run.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    /// Names with their meanings, by the names' lengths: most names of other fields are told apart by that alone.
    by_length: Vec<Vec<(Box<str>, Vec<Meaning>)>>,
    /// The names that are asked for as the text, for messages.
    text_names: Vec<String>,
}

impl Fields {
    /// Takes the names that the user gave, in the order of [`Field::ALL`]; the published names where none was.
    pub fn new(given: [Option<&str>; 6]) -> Fields {
        let mut by_length: Vec<Vec<(Box<str>, Vec<Meaning>)>> = Vec::new();
        for (field, given) in Field::ALL.into_iter().zip(given) {
            let names: Vec<&str> = given.map_or_else(|| field.names().to_vec(), |name| vec![name]);
            for (rank, name) in names.into_iter().enumerate() {
                add_meaning(&mut by_length, name, Meaning { field, rank: rank as u8 });
            }
        }
        let text_names = given[0].map_or_else(
            || Field::Text.names().iter().map(|name| (*name).to_owned()).collect(),
            |name| vec![name.to_owned()],
        );
        Fields { by_length, text_names }
    }

    /// Reads the field inside whose values documents are compared, too.
    #[must_use]
    pub fn with_within(mut self, name: Option<&str>) -> Fields {
        if let Some(name) = name {
            add_meaning(&mut self.by_length, name, Meaning { field: Field::Within, rank: 0 });
        }
        self
    }

    /// Returns the names that are asked for as the text, the first wins.
    pub fn text_names(&self) -> &[String] {
        &self.text_names
    }

    /// Returns what a field of this name may mean.
    pub fn meanings(&self, name: &str) -> &[Meaning] {
        self.by_length
            .get(name.len())
            .and_then(|bucket| bucket.iter().find(|(known, _)| &**known == name))
            .map_or(&[], |(_, meanings)| meanings)
    }
}

/// Adds a meaning to a field name.
fn add_meaning(by_length: &mut Vec<Vec<(Box<str>, Vec<Meaning>)>>, name: &str, meaning: Meaning) {
    if by_length.len() <= name.len() {
        by_length.resize(name.len() + 1, Vec::new());
    }
    let bucket = &mut by_length[name.len()];
    match bucket.iter_mut().find(|(known, _)| &**known == name) {
        Some((_, meanings)) => meanings.push(meaning),
        None => bucket.push((name.into(), vec![meaning])),
    }
}

/// What a record said in one of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Value {
    /// No such field.
    #[default]
    Absent,
    /// Null or an empty string.
    Missing,
    /// Neither a string nor, where one may stand, a number: what was found.
    Wrong(&'static str),
    /// A string, or a number's decimal text.
    Given(String),
}

impl Value {
    /// How much a value says: what says more wins over what says less, whatever the rank.
    fn weight(&self) -> u8 {
        match self {
            Value::Absent => 0,
            Value::Wrong(_) => 1,
            Value::Missing => 2,
            Value::Given(_) => 3,
        }
    }
}

/// The fields of one record.
#[derive(Debug, Default)]
pub(crate) struct Record {
    values: [Value; 7],
    ranks: [u8; 7],
}

impl Record {
    /// Takes a field's value out.
    pub fn take(&mut self, field: Field) -> Value {
        std::mem::take(&mut self.values[field as usize])
    }

    /// Takes a value for a meaning of its field's name, unless a better one is there.
    ///
    /// Returns whether it took it.
    pub fn offer(&mut self, meaning: Meaning, value: Value) -> bool {
        let at = meaning.field as usize;
        let (new, old) = (value.weight(), self.values[at].weight());
        // The last of two fields of one name wins, as in every JSON reader.
        let is_better = new > old || (new == old && meaning.rank <= self.ranks[at]);
        if is_better {
            self.values[at] = value;
            self.ranks[at] = meaning.rank;
        }
        is_better
    }

    /// Returns all values.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.iter()
    }

    /// Returns whether a value for this meaning would be thrown away.
    fn is_settled(&self, meaning: Meaning) -> bool {
        let at = meaning.field as usize;
        matches!(self.values[at], Value::Given(_)) && self.ranks[at] < meaning.rank
    }
}

/// Reads a record: one JSON object.
pub(crate) fn read_record(json: &str, fields: &Fields) -> serde_json::Result<Record> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let record = RecordSeed(fields).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(record)
}

/// Returns the raw JSON of the field that [`read_record`] takes the text from, as a slice of `json`.
pub(crate) fn raw_text<'json>(json: &'json str, fields: &Fields) -> serde_json::Result<Option<&'json str>> {
    struct Seed<'f>(&'f Fields);

    impl<'de> Visitor<'de> for Seed<'_> {
        type Value = Option<(u8, &'de str)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut best: Self::Value = None;
            while let Some(meanings) = map.next_key_seed(NameSeed(self.0))? {
                match meanings.iter().find(|meaning| meaning.field == Field::Text) {
                    Some(meaning) if best.is_none_or(|(rank, _)| meaning.rank <= rank) => {
                        let raw = map.next_value::<&'de RawValue>()?.get();
                        if raw.starts_with('"') && raw.len() > 2 {
                            best = Some((meaning.rank, raw));
                        }
                    }
                    _ => {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
            Ok(best)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(json);
    Ok(deserializer.deserialize_map(Seed(fields))?.map(|(_, raw)| raw))
}

/// Returns the names of a record's fields, for messages.
pub(crate) fn names(json: &str) -> Vec<String> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut names = Vec::new();
            while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                names.push(name);
            }
            Ok(names)
        }
    }

    serde_json::Deserializer::from_str(json).deserialize_map(Names).unwrap_or_default()
}

struct RecordSeed<'f>(&'f Fields);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = Record;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Record, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_> {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let mut record = Record::default();
        while let Some(meanings) = map.next_key_seed(NameSeed(self.0))? {
            if meanings.iter().all(|meaning| record.is_settled(*meaning)) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let is_text = meanings.iter().any(|meaning| meaning.field == Field::Text);
            let value = if is_text {
                map.next_value_seed(TextSeed)?
            } else {
                short_value(map.next_value::<&'de RawValue>()?.get())
            };
            for meaning in &meanings[1..] {
                record.offer(*meaning, value.clone());
            }
            record.offer(meanings[0], value);
        }
        Ok(record)
    }
}

/// Reads a name and returns its meanings.
struct NameSeed<'f>(&'f Fields);

impl<'de, 'f> DeserializeSeed<'de> for NameSeed<'f> {
    type Value = &'f [Meaning];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'f [Meaning], D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'f> Visitor<'_> for NameSeed<'f> {
    type Value = &'f [Meaning];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<&'f [Meaning], E> {
        Ok(self.0.meanings(name))
    }
}

/// Reads the text straight into the string that the document will own: a detour over its raw JSON reads it twice.
struct TextSeed;

impl<'de> DeserializeSeed<'de> for TextSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(if text.is_empty() { Value::Missing } else { Value::Given(text.to_owned()) })
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Missing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Wrong("a truth value"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Wrong("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Wrong("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Wrong("a number"))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Wrong("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Wrong("an object"))
    }
}

/// Reads a short field from its raw JSON, so that a long number keeps all its digits.
fn short_value(raw: &str) -> Value {
    match raw.as_bytes()[0] {
        b'"' => match serde_json::from_str::<String>(raw) {
            Ok(value) if value.is_empty() => Value::Missing,
            Ok(value) => Value::Given(value),
            Err(_) => Value::Wrong("a broken string"),
        },
        b'n' => Value::Missing,
        b't' | b'f' => Value::Wrong("a truth value"),
        b'[' => Value::Wrong("a list"),
        b'{' => Value::Wrong("an object"),
        _ => Value::Given(raw.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> Fields {
        Fields::new([None; 6])
    }

    fn read(json: &str) -> Record {
        read_record(json, &published()).unwrap()
    }

    fn given(value: &str) -> Value {
        Value::Given(value.to_owned())
    }

    #[test]
    fn the_first_name_of_the_list_wins_whatever_the_order_in_the_record() {
        let mut record = read(r#"{"body": "b", "content": "c", "text": "t", "articleBody": "a", "headline": "h"}"#);
        assert_eq!(record.take(Field::Text), given("t"));
        assert_eq!(record.take(Field::Title), given("h"));
        assert_eq!(record.take(Field::Url), Value::Absent);
    }

    #[test]
    fn empty_null_and_wrong_values_give_way_to_others() {
        assert_eq!(read(r#"{"text": "", "content": null, "body": "b"}"#).take(Field::Text), given("b"));
        assert_eq!(read(r#"{"content": {"rendered": ["x", 1]}, "body": "b"}"#).take(Field::Text), given("b"));
        assert_eq!(read(r#"{"text": null}"#).take(Field::Text), Value::Missing);
        assert_eq!(read(r#"{"text": [1, {"a": 2}]}"#).take(Field::Text), Value::Wrong("a list"));
    }

    #[test]
    fn a_number_as_id_keeps_its_digits() {
        assert_eq!(
            read(r#"{"id": 123456789012345678901234567890}"#).take(Field::Id),
            given("123456789012345678901234567890")
        );
        assert_eq!(read(r#"{"id": 1.50}"#).take(Field::Id), given("1.50"));
        assert_eq!(read(r#"{"id": {"$oid": "x"}}"#).take(Field::Id), Value::Wrong("an object"));
    }

    #[test]
    fn one_field_can_be_asked_for_as_two() {
        let fields = Fields::new([Some("title"), Some("url"), None, None, None, None]);
        let mut record = read_record(r#"{"title": "t", "url": "u", "text": "x"}"#, &fields).unwrap();
        assert_eq!([Field::Text, Field::Title].map(|field| record.take(field)), [given("t"), given("t")]);
        assert_eq!([Field::Id, Field::Url].map(|field| record.take(field)), [given("u"), given("u")]);
    }

    #[test]
    fn the_raw_text_is_that_of_the_text() {
        let raw = |json| raw_text(json, &published()).unwrap();
        assert_eq!(raw(r#"{"content": "c", "text" : "a\u0062\n", "body": "x"}"#), Some(r#""a\u0062\n""#));
        assert_eq!(raw(r#"{"text": "", "content": "c"}"#), Some("\"c\""));
        assert_eq!(raw(r#"{"text": null, "content": []}"#), None);
    }

    #[test]
    fn broken_json_is_an_error() {
        for json in [r#"{"text": "a""#, r#"{"text": "a"} {"#, "[1]", "7", r#"{"text": "\ud800"}"#] {
            assert!(read_record(json, &published()).is_err(), "{json}");
        }
        assert_eq!(names(r#"{"a": 1, "b": {"c": 2}}"#), ["a", "b"]);
    }
}
