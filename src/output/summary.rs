//! What a run found, in numbers: what people see at the end and `summary.json` keeps.

use serde::{Deserialize, Serialize};

/// Number of the layout of tables and summary. A run of another one is not read.
pub const SCHEMA: u32 = 1;

/// The whole run. Everything but `run` is the same on every machine, at any threads and memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// `scan`, `clean` or `dedup`: what made the directory that this stands in.
    pub retold: String,
    /// Number of the layout of tables and summary, [`SCHEMA`]: the tables beside this file are of the same.
    pub schema: u32,
    /// Version of the program.
    pub version: String,
    /// Versions of model, cue lists and public suffix list.
    pub data_versions: Vec<(String, String)>,
    /// The sketch that brought pairs together, and how it was cut.
    #[serde(default)]
    pub sketch: SketchFacts,
    /// Every setting that changes answers, with its value.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The inputs, in order.
    pub inputs: Vec<Input>,
    /// Documents.
    pub documents: u64,
    /// Documents without a word.
    pub empty: u64,
    /// References that the documents were matched with.
    #[serde(default)]
    pub references: u64,
    /// Documents that repeat a reference.
    #[serde(default)]
    pub known: u64,
    /// What became of the decisions; null when there is no file of them.
    #[serde(default)]
    pub decisions: Option<DecisionCount>,
    /// Values inside which documents were compared, and documents without one, which were compared with each other; null
    /// when no field was named.
    #[serde(default)]
    pub within: Option<WithinCount>,
    /// Sites.
    pub sites: u64,
    /// Documents whose site is not known: their blocks are counted as if one site held them all.
    pub without_site: u64,
    /// Documents without a date.
    pub without_date: u64,
    /// Words of all texts.
    pub words: u64,
    /// Words of blocks judged boilerplate and removed by `clean`.
    pub removed_words: u64,
    /// Bytes of all texts.
    pub text_bytes: u64,
    /// Blocks of each kind, the most frequent first.
    pub kinds: Vec<KindCount>,
    /// Documents in which the judge would have dropped nearly everything and therefore kept it.
    pub withheld: u64,
    /// Clusters of two documents or more.
    pub clusters: u64,
    /// Documents in such clusters.
    pub clustered: u64,
    /// Documents that `dedup` keeps.
    pub kept: u64,
    /// Rows of `pairs`.
    pub pairs: u64,
    /// Identical or joined copies that `pairs` lists with their leader only, since their group has more than 64 members.
    pub copies_listed_with_leader: u64,
    /// The most similar pair that was not joined, or was, when no cluster exists: what is closest to the line.
    pub closest: Option<crate::output::PairRow>,
    /// Headlines that several documents carry.
    pub headlines: u64,
    /// Rows of `versions`.
    #[serde(default)]
    pub versions: u64,
    /// Inputs and records that could not be read.
    pub skipped: u64,
    /// Expected recall of the candidates at the threshold.
    pub expected_recall: f64,
    /// Pairs of large buckets and postings that were not tried: their items met a leader and neighbors there. A pair that
    /// shares several of them counts in each.
    pub pairs_left_out: u64,
    /// The largest groups of look-alikes of which not all pairs were tried, mostly the pages that one template makes, the
    /// largest first; at most 100.
    #[serde(default)]
    pub crowds: Vec<CrowdCount>,
    /// Sites with most documents, at most 1,000, with what would be removed there.
    pub by_site: Vec<SiteCount>,
    /// Things worth knowing.
    pub warnings: Vec<String>,
    /// What depends on this machine and this run.
    pub run: RunFacts,
}

/// What brought pairs together, so that they were measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SketchFacts {
    /// Version of hashes and signature, [`SKETCH_VERSION`](crate::similarity::SKETCH_VERSION).
    pub version: u32,
    /// Bands of a signature.
    pub bands: u64,
    /// Rows of a band.
    pub rows: u64,
    /// One shingle of so many is sampled.
    pub sampled_one_in: u64,
}

/// Look-alikes of which not all pairs were tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrowdCount {
    /// One of them, the first in order.
    pub example: String,
    /// How many share most, at least: the documents of the group's largest bucket.
    pub documents: u64,
    /// Pairs of that bucket that were not tried.
    pub pairs_left_out: u64,
}

/// What became of a file of decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionCount {
    /// The file.
    pub file: String,
    /// Decisions in it.
    pub lines: u64,
    /// Decisions whose documents are there.
    pub followed: u64,
    /// Ids that are not, in the order of their lines.
    pub gone: Vec<String>,
}

/// Inside what documents were compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithinCount {
    /// The field.
    pub field: String,
    /// Its values.
    pub values: u64,
    /// Documents without a value.
    pub without: u64,
}

/// An input of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its id path.
    pub source: String,
    /// Its size on disk.
    pub bytes: u64,
    /// Digest of its bytes, 16 hexadecimal digits.
    pub digest: String,
}

/// How often a kind of boilerplate was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KindCount {
    /// The kind.
    pub kind: String,
    /// Blocks.
    pub blocks: u64,
    /// Words in them.
    pub words: u64,
    /// Documents that hold one.
    pub documents: u64,
    /// Whether `clean` removes it.
    pub removed: bool,
    /// The first one met.
    pub example: Option<Example>,
}

/// A block as an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The document.
    pub id: String,
    /// The line.
    pub line: u64,
    /// The block, cut to 200 characters.
    pub text: String,
}

/// A site's figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCount {
    /// The site.
    pub site: String,
    /// Its documents.
    pub documents: u64,
    /// Its words.
    pub words: u64,
    /// Words that `clean` would remove.
    pub removed_words: u64,
    /// Documents that `dedup` would drop.
    pub dropped: u64,
}

/// What depends on the machine and the moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// Id of this run.
    pub id: String,
    /// Threads.
    pub threads: u64,
    /// Memory budget in bytes; null: unlimited.
    pub memory: Option<u64>,
    /// Inputs, as absolute paths.
    pub paths: Vec<String>,
    /// Seconds on the clock.
    pub seconds: f64,
    /// Peak resident memory in bytes, where the system tells it.
    pub peak_resident: Option<u64>,
    /// Processor time of all threads in seconds, where the system tells it.
    #[serde(default)]
    pub cpu_seconds: Option<f64>,
    /// Most bytes of scratch files that lay on disk at once.
    #[serde(default)]
    pub peak_scratch: u64,
    /// The stages in order, each with what it took.
    #[serde(default)]
    pub stages: Vec<StageFacts>,
}

/// What a stage of a run took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageFacts {
    /// Its name.
    pub stage: String,
    /// Seconds on the clock.
    pub seconds: f64,
    /// Processor time of all threads in seconds, where the system tells it.
    pub cpu_seconds: Option<f64>,
    /// Records handled: documents, blocks, sorted records, pairs.
    pub records: u64,
    /// Peak resident memory up to its end in bytes, where the system tells it.
    pub peak_resident: Option<u64>,
    /// Bytes written to scratch files.
    pub scratch_bytes: u64,
}
