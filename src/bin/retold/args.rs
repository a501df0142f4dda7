//! Flags, one to one with settings; what a flag means is said here and nowhere else.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use retold::Config;
use retold::boilerplate::{BoilerplateKind, KindSet, data_versions};
use retold::config::{Keep, Shingle, Sites, Verify};
use retold::decisions::Decisions;
use retold::evidence::SavedEvidence;
use retold::input::{PUBLIC_SUFFIX_LIST, Sample};

use crate::teaching;
use crate::values::{self, Memory, SkipLimit};

/// Returns the version of the program and of the data that it judges by.
fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let mut versions = data_versions();
        versions.push(("public_suffix_list".to_owned(), PUBLIC_SUFFIX_LIST.to_owned()));
        let data: Vec<String> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        format!("{} ({})", env!("CARGO_PKG_VERSION"), data.join(", "))
    });
    &VERSION
}

/// Finds near-duplicate articles and site boilerplate in scraped text, in one run.
#[derive(Debug, Parser)]
#[command(
    name = "retold",
    version = version(),
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    long_about = "Finds near-duplicate articles and site boilerplate in scraped text, in one run.\n\n\
        INPUT is files, directories (walked recursively), globs (`--glob`) or `-` (standard input): .txt, .md, .html \
        and the .xml of trafilatura (a file is a document), .jsonl, .ndjson and .json (an object is one), .csv, .tsv, \
        .parquet, .arrow, .arrows and .feather (a row), .warc and .wet (a record), each but typed columns also as .gz, \
        .zst, .bz2 or .xz; and all of these in .zip and .tar archives.\n\n\
        Built with the feature `object-store`, it is addresses too: s3://bucket/key, gs://, az://, http:// and https://. \
        Of a store, an address that ends with / is all below it, and s3://bucket/*.jsonl.gz is what matches. \
        Credentials are read from the environment: AWS_*, GOOGLE_*, AZURE_*; AWS_ENDPOINT_URL names another server.",
    after_help = "Every flag may also be set as RETOLD_<NAME> in the environment, or as a key of the same name in \
        `retold.toml`, in this directory or above. A flag wins over the environment, that over the file.",
    after_long_help = "Begin with:\n  \
        retold scan crawl                     what is boilerplate, what is said twice; changes nothing\n  \
        retold clean crawl -o clean           copies without boilerplate\n  \
        retold dedup crawl -o unique          one document of every story\n  \
        retold explain crawl/a.txt crawl/b.txt\n\n\
        Every flag may also be set as RETOLD_<NAME> in the environment (RETOLD_THREADS=4), or as a key of the same \
        name in `retold.toml` (threads = 4), in this directory or the nearest above. A flag wins over the \
        environment, the environment over the file, the file over the default; `retold config --print` shows each \
        value and where it comes from.\n\n\
        Exit status: 0 done; 1 done, but inputs or records were skipped; 2 not done."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// One subcommand each.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Finds boilerplate and near-duplicates, and says so; changes nothing
    #[command(after_long_help = "Example:\n  \
        retold scan crawl\n  \
        retold scan crawl/*.jsonl.gz -o found --threshold 0.7 --threads 8\n\n\
        The first prints what was found. The second also writes tables to `found`: documents, blocks, pairs, \
        clusters, versions, references, headlines, skipped (.jsonl each) and summary.json. `retold clean --from found` and \
        `retold dedup --from found` then apply that scan without judging again.")]
    Scan(ScanArgs),

    /// Writes copies without boilerplate; every other byte stays as it was read
    #[command(after_long_help = "Example:\n  \
        retold clean crawl -o clean\n  \
        retold clean --from found -o clean --dedup\n  \
        retold clean --restore clean -o crawl-again\n\n\
        Files keep their relative path and name; `clean/removed.jsonl` holds every block that went, and `--restore` \
        puts them back, byte for byte. The copy of an archive is a directory of its name with its members. Of `.html`, \
        `.xml` and `.warc` files the text is written, as `.html.txt`, `.xml.txt` and `.warc.wet`; files of typed \
        columns (`.parquet`, `.arrow`, `.feather`) are written anew: their inputs stay the only original. `-o -` prints \
        the cleaned records as JSON lines instead.")]
    Clean(CleanArgs),

    /// Writes one document of every story, in the shape it came in
    #[command(after_long_help = "Example:\n  \
        retold dedup crawl -o unique\n  \
        retold dedup crawl -o unique --keep earliest\n  \
        retold dedup today -o new --against yesterday\n  \
        retold dedup --from found -o unique\n  \
        retold dedup --from found -o close --threshold 0.8\n\n\
        Kept documents stay byte for byte as they were read; `unique/dropped.jsonl` names every other one, with the \
        document kept in its place, their similarity and the reason.")]
    Dedup(DedupArgs),

    /// Says why: each block of a document, or what two documents share
    #[command(after_long_help = "Example:\n  \
        retold explain crawl/a.txt\n  \
        retold explain crawl/a.txt crawl/b.txt\n  \
        retold explain --from found a.txt b.txt\n\n\
        The first two judge those files alone. The last explains what the scan in `found` said of two of its \
        documents, by id, with all the evidence of that run.")]
    Explain(ExplainArgs),

    /// Writes a finished scan as one HTML page to look at; it opens from disk and asks the network for nothing
    #[command(after_long_help = "Example:\n  \
        retold scan crawl -o found\n  \
        retold report found -o found.html\n  \
        retold report found -o found.html --since found-yesterday\n\n\
        Texts are read again from the inputs of the scan, and shown only if they have not changed since; a scan with \
        `--keep-texts` needs no inputs. What the page's buttons correct is saved as files for `--decisions` and `--rules`.")]
    Report(ReportArgs),

    /// Says what changed between two finished scans: documents whose cluster, kept copy or removed text is another, and why
    #[command(after_long_help = "Example:\n  \
        retold compare found-yesterday found\n  \
        retold compare found-yesterday found --format json")]
    Compare(CompareArgs),

    /// Shows every setting: an annotated `retold.toml`, or with `--print` each value and where it comes from
    #[command(after_long_help = "Example:\n  \
        retold config > retold.toml\n  \
        RETOLD_THRESHOLD=0.7 retold config --print")]
    Config(ConfigArgs),

    /// Prints shell completions
    #[command(after_long_help = "Example:\n  \
        retold completions bash > ~/.local/share/bash-completion/completions/retold")]
    Completions(CompletionsArgs),

    /// Prints the manual page
    #[command(after_long_help = "Example:\n  \
        retold man > ~/.local/share/man/man1/retold.1\n  \
        retold man scan | man -l -")]
    Man(ManArgs),
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Run")]
pub struct GlobalArgs {
    /// Threads that may be busy at once; 0: one for every core
    #[arg(long, short = 'j', global = true, value_name = "N", default_value_t = 0)]
    pub threads: usize,

    /// Memory to stay within, from 64M (M is MiB; K, G and T too), or `unlimited`; beyond it scratch files are used
    /// [default: half of the RAM]
    #[arg(long, global = true, value_name = "SIZE", value_parser = values::memory)]
    pub memory: Option<Memory>,

    /// Directory for scratch files [default: the system's]
    #[arg(long, global = true, value_name = "DIR")]
    pub temp_dir: Option<PathBuf>,

    /// Keep packed copies of objects that are read from addresses in this directory: later passes and later runs read them
    /// there, as long as the object is the same version
    ///
    /// Packed by Zstandard, in blocks of 4 MiB. What finds no room is fetched in every pass; blocks that this run does not
    /// use make room first. Several runs may share a directory. Needs the feature `object-store`, as addresses do.
    #[arg(long, global = true, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,

    /// Bytes that `--cache-dir` may take, from 1M (M is MiB; K, G and T too)
    #[arg(long, global = true, value_name = "SIZE", default_value = "10G", value_parser = values::cache_size)]
    pub cache_size: u64,

    /// Settings file [default: the nearest `retold.toml`, from here upwards]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Read no settings file
    #[arg(long, global = true, conflicts_with = "config", value_parser = switch())]
    pub no_config: bool,

    /// Say nothing on standard error but errors
    #[arg(long, short = 'q', global = true, value_parser = switch())]
    pub quiet: bool,

    /// Show no progress bar (there is none either when standard error is not a terminal)
    #[arg(long, global = true, value_parser = switch())]
    pub no_progress: bool,

    /// Write messages on standard error as lines of JSON: time, level, run (as in summary.json) and message, and where
    /// known file, line, byte, field and hint
    #[arg(long, global = true, value_parser = switch())]
    pub log_json: bool,

    /// When to use color; `auto` obeys NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = When::Auto, hide_possible_values = true)]
    pub color: When,

    /// What to print on standard output: text for people, or json
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, hide_possible_values = true)]
    pub format: Format,
}

/// The values of a switch in the environment or the settings file: anything but 0, no, off, false and nothing is on.
fn switch() -> clap::builder::FalseyValueParser {
    clap::builder::FalseyValueParser::new()
}

/// When to use color.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    Auto,
    Always,
    Never,
}

/// What to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// A form of tables beside JSON lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableForm {
    Csv,
    Parquet,
}

/// What reads attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AttributesForm {
    Dolma,
}

/// Arguments of `scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    #[command(flatten)]
    pub inputs: InputPaths,

    /// Write tables to this new directory
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub replace: ReplaceArgs,

    /// Go on where an interrupted run of this same command stood, and leave what is finished for the next one should this
    /// one be interrupted too; it is kept in DIR.partial, or with `--temp-dir` there
    #[arg(long, requires = "output", conflicts_with = "fail_fast", help_heading = "Output", value_parser = switch())]
    pub resume: bool,

    /// How many examples, clusters and sites the summary shows
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Output")]
    pub top: usize,

    /// Write what repeats in this crawl to a new file, for `--evidence` of runs to come
    #[arg(long, value_name = "FILE", conflicts_with_all = ["evidence", "no_boilerplate"], help_heading = "Output")]
    pub save_evidence: Option<PathBuf>,

    /// Write the blocks that repeat most to a new file, as rules to edit and to pass with `--rules`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["evidence", "no_boilerplate"], help_heading = "Output")]
    pub suggest_rules: Option<PathBuf>,

    /// Show after the summary what each stage of the run took: time, processors, memory, scratch files
    #[arg(long, help_heading = "Output", value_parser = switch())]
    pub timings: bool,

    /// List every block in the table `blocks`, content too
    #[arg(long, help_heading = "Output", value_parser = switch())]
    pub all_blocks: bool,

    /// Write the tables in another form too, beside the JSON lines: csv for spreadsheets, parquet for databases
    ///
    /// CSV files are UTF-8 with a byte order mark; an apostrophe leads cells that a spreadsheet would take for a formula,
    /// several values in a cell stand apart by a semicolon, and text of more than 32,767 characters is cut, and told. Parquet
    /// files have a column for every field, typed. The table `texts` is JSON lines alone.
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        requires = "output",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub tables: Option<TableForm>,

    /// Store every text in the table `texts` too, so that `report` can show it when the inputs are gone or were piped in
    #[arg(long, requires = "output", help_heading = "Output", value_parser = switch())]
    pub keep_texts: bool,

    /// Write the page of `retold report` too, to this new file
    #[arg(long, value_name = "FILE", requires = "output", help_heading = "Output")]
    pub report: Option<PathBuf>,

    #[command(flatten)]
    pub part: PartArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// Arguments of `clean`.
#[derive(Debug, Args)]
pub struct CleanArgs {
    #[command(flatten)]
    pub inputs: InputPaths,

    /// Write to this new directory; `-`: print records as JSON lines
    #[arg(long, short, value_name = "DIR", required = true, help_heading = "Output")]
    pub output: PathBuf,

    #[command(flatten)]
    pub replace: ReplaceArgs,

    /// Apply the finished scan in this directory instead of judging anew; a changed input is refused
    #[arg(long, value_name = "DIR", conflicts_with_all = ["inputs", "files_from", "restore"], help_heading = "Output")]
    pub from: Option<PathBuf>,

    /// Drop near-duplicates too
    #[arg(long, help_heading = "Output", value_parser = switch())]
    pub dedup: bool,

    /// Write no copies, but what would go as attributes of that toolkit, beside shards that stay as they are: dolma
    ///
    /// For every file of JSON lines one of the same name, with a line a record: spans in characters with the probability
    /// as `retold__boilerplate` and by kind, as `retold__newsletter`; the whole text of a near-duplicate with its
    /// similarity as `retold__duplicate`. The toolkit finds them when DIR is `attributes/NAME` beside `documents`.
    #[arg(long, value_name = "FORM", value_enum, hide_possible_values = true, conflicts_with_all = ["dedup", "restore"], help_heading = "Output")]
    pub attributes: Option<AttributesForm>,

    /// Put what an earlier `clean` removed back: rebuilds its input from that directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["inputs", "files_from"], help_heading = "Output")]
    pub restore: Option<PathBuf>,

    #[command(flatten)]
    pub guard: GuardArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// Arguments of `dedup`.
#[derive(Debug, Args)]
pub struct DedupArgs {
    #[command(flatten)]
    pub inputs: InputPaths,

    /// Write to this new directory; `-`: print records as JSON lines
    #[arg(long, short, value_name = "DIR", required = true, help_heading = "Output")]
    pub output: PathBuf,

    #[command(flatten)]
    pub replace: ReplaceArgs,

    /// Apply the finished scan in this directory instead of judging anew; a changed input is refused
    #[arg(long, value_name = "DIR", conflicts_with_all = ["inputs", "files_from"], help_heading = "Output")]
    pub from: Option<PathBuf>,

    #[command(flatten)]
    pub guard: GuardArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// One document or two: files, or with `--from` ids
    #[arg(value_name = "FILE|ID", required = true, num_args = 1..=2)]
    pub documents: Vec<String>,

    /// Explain what the finished scan in this directory said
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub from: Option<PathBuf>,

    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Directory that `retold scan -o DIR` wrote
    #[arg(value_name = "DIR", required = true)]
    pub scan: PathBuf,

    /// Write the page to this new file
    #[arg(long, short, value_name = "FILE", required = true, help_heading = "Output")]
    pub output: PathBuf,

    /// Show what changed since the earlier scan in this directory, too
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub since: Option<PathBuf>,

    #[command(flatten)]
    pub replace: ReplaceArgs,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Directory of the earlier scan
    #[arg(value_name = "BEFORE", required = true)]
    pub before: PathBuf,

    /// Directory of the later one
    #[arg(value_name = "AFTER", required = true)]
    pub after: PathBuf,

    /// How many changed documents are named
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Output")]
    pub top: usize,
}

/// Arguments of `config`: every setting, so that flags show up in what it prints.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Print each setting with its value and where it comes from
    #[arg(long)]
    pub print: bool,

    /// How many examples, clusters and sites the summary of `scan` shows
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Output")]
    pub top: usize,

    /// Show after the summary of `scan` what each stage of the run took
    #[arg(long, help_heading = "Output", value_parser = switch())]
    pub timings: bool,

    /// Write the tables of `scan` as csv or parquet too
    #[arg(long, value_name = "FORM", value_enum, hide_possible_values = true, help_heading = "Output")]
    pub tables: Option<TableForm>,

    /// Store every text in the table `texts` of `scan` too
    #[arg(long, help_heading = "Output", value_parser = switch())]
    pub keep_texts: bool,

    /// List every block in the table `blocks` of `scan`, content too
    #[arg(long, help_heading = "Output", value_parser = switch())]
    pub all_blocks: bool,

    /// Drop near-duplicates too, in `clean`
    #[arg(long, help_heading = "Output", value_parser = switch())]
    pub dedup: bool,

    /// Write attributes of that toolkit instead of copies, in `clean`: dolma
    #[arg(long, value_name = "FORM", value_enum, hide_possible_values = true, help_heading = "Output")]
    pub attributes: Option<AttributesForm>,

    #[command(flatten)]
    pub part: PartArgs,

    #[command(flatten)]
    pub guard: GuardArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Shell to complete in
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Command whose page is wanted [default: `retold` itself]
    pub command: Option<String>,
}

/// What is read.
#[derive(Clone, Debug, Args)]
pub struct InputPaths {
    /// Files, directories, addresses (s3://bucket/key and the like) or `-`: standard input, which is also read when it is piped and no INPUT is given
    #[arg(value_name = "INPUT", id = "inputs")]
    pub paths: Vec<PathBuf>,

    /// Read the inputs that this file lists too, one a line; `-`: standard input lists them
    #[arg(long, value_name = "FILE", help_heading = "Reading")]
    pub files_from: Option<PathBuf>,
}

/// Whether an output directory may be replaced.
#[derive(Clone, Debug, Args)]
pub struct ReplaceArgs {
    /// Replace an existing output directory that an earlier run made (one that holds our summary.json), or output file
    #[arg(long, help_heading = "Output", value_parser = switch())]
    pub force: bool,
}

/// How much may go before nothing does.
#[derive(Clone, Debug, Args)]
pub struct GuardArgs {
    /// Write nothing when more than this share would go: of the run's text, or of any site with 50 documents
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, value_parser = values::share, help_heading = "Output")]
    pub max_removed: f64,
}

/// How documents are judged.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Judging")]
pub struct JudgingArgs {
    /// Jaccard similarity from which two documents are near-duplicates, 0.3 to 1.0
    ///
    /// Similarity is the Jaccard similarity of two texts without their boilerplate: of all distinct shingles (see
    /// `--shingle`) that either has, the share that both have. It is counted exactly for every pair that is
    /// reported, never estimated, and stands in the tables beside the same figure with boilerplate left in. A
    /// pair at the threshold or above is `near`; below it the retelling rule may still join a heavily edited or
    /// cut copy, unless `--no-retellings` is given. `dedup` and `clean --dedup` take a higher one than the scan's with
    /// `--from`, and cluster its pairs again.
    #[arg(long, value_name = "T", default_value_t = Config::default().threshold)]
    pub threshold: f64,

    /// What is compared: words:N or chars:N, N in a row
    #[arg(long, value_name = "UNIT:N", default_value_t = Config::default().shingle, value_parser = values::shingle)]
    pub shingle: Shingle,

    /// Judge no boilerplate: near-duplicates only, on the text as it is
    #[arg(long, value_parser = switch())]
    pub no_boilerplate: bool,

    /// Judge boilerplate by repetition alone, without the content model
    #[arg(long, value_parser = switch())]
    pub no_model: bool,

    /// Judge with the weights in this file, which `training/train.py` wrote, instead of those of the program
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_model", "no_boilerplate"])]
    pub model: Option<PathBuf>,

    /// Obey the phrases in this file, which win over all else that is judged
    ///
    /// A TOML file with a table for every rule: [[rule]], text = "Sign up for our newsletter", and where wanted match
    /// = "line" (the whole block: the default), "starts", "contains" or "template" (the whole block but for names,
    /// dates and numbers); site = "example.com"; action = "remove" (the default) or "keep"; kind = "newsletter". Case,
    /// quotes, punctuation and blanks do not matter. Of several rules that match, one for the site wins over one for
    /// all sites, and then the first. `retold scan --suggest-rules FILE` writes a file to begin with.
    #[arg(long, value_name = "FILE", conflicts_with = "no_boilerplate")]
    pub rules: Option<PathBuf>,

    /// Look up what repeats in this file, which `scan --save-evidence` wrote, instead of counting it here
    ///
    /// A page is then judged as the crawl was that the file is of: what is taken out of it depends on the page, the
    /// file and the version of the program alone, not on the other pages of tonight.
    #[arg(long, value_name = "FILE", conflicts_with = "no_boilerplate")]
    pub evidence: Option<PathBuf>,

    /// Flag only what is nearly sure
    #[arg(long, value_parser = switch())]
    pub careful: bool,

    /// Join by the threshold alone, without the retelling rule (share of the shorter text, with facts)
    #[arg(long, value_parser = switch())]
    pub no_retellings: bool,

    /// Find candidates by an exact join instead of bands: slower, and nothing at the threshold is missed
    #[arg(long, value_parser = switch())]
    pub exact: bool,

    /// How pairs are measured: exact, or sketch, which is faster and estimates similarity
    ///
    /// With `sketch` no text is read again: every similarity in the tables is an estimate with a standard error of up to 0.03,
    /// reasons say so, and the threshold alone joins. Facts, quotations and retellings are not looked at.
    #[arg(long, value_name = "WAY", default_value = Config::default().verify.name(), value_parser = values::verify)]
    pub verify: Verify,

    /// Compare documents of two sites only
    #[arg(long, value_parser = switch(), conflicts_with = "same_site_only")]
    pub across_sites_only: bool,

    /// Compare documents of one site only
    #[arg(long, value_parser = switch())]
    pub same_site_only: bool,

    /// Compare documents at most so many days apart; those without a date are compared with all
    #[arg(long, value_name = "DAYS")]
    pub date_window: Option<u32>,

    /// Compare documents only inside each value of this field of their records: a dump, a year
    ///
    /// Documents without the field, or with nothing in it, are compared with each other. What repeats on a site is still
    /// counted over all documents.
    #[arg(long, value_name = "FIELD")]
    pub within: Option<String>,

    /// Follow what people decided, whatever the scores say: a CSV file of `ID,ID,same`, `ID,ID,different`, `ID,keep` and
    /// `ID,drop`
    ///
    /// `same` and `different` put two documents in one cluster or keep them apart, also by way of others; `keep` and `drop`
    /// say what `dedup` keeps. Lines that begin with # and columns after the decision are notes. Lines that contradict each
    /// other are refused; an id that is gone is named in the summary.
    #[arg(long, value_name = "FILE")]
    pub decisions: Option<PathBuf>,

    /// Which copy of a story is kept: longest, earliest, latest, first, none or site-priority
    #[arg(long, value_name = "POLICY", default_value = Config::default().keep.name(), value_parser = values::keep)]
    pub keep: Keep,

    /// Sites in falling order of preference, for `--keep site-priority`
    #[arg(long, value_name = "SITE,..", value_delimiter = ',')]
    pub site_priority: Vec<String>,

    /// Kinds of boilerplate to take out
    #[arg(long, value_name = "KIND,..", value_delimiter = ',', value_parser = values::kind,
        default_values = values::default_kinds(), hide_default_value = true, long_help = values::remove_help())]
    pub remove: Vec<BoilerplateKind>,

    /// Kinds of boilerplate to leave in
    #[arg(long, value_name = "KIND,..", value_delimiter = ',', value_parser = values::kind)]
    pub spare: Vec<BoilerplateKind>,

    /// Leave in what a purpose needs; linguistics: byline, caption, author_bio and comments
    #[arg(long = "for", value_name = "PURPOSE", value_enum, hide_possible_values = true)]
    pub purpose: Option<Purpose>,
}

/// What the cleaned text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// Text by a person is kept, whoever wrote it.
    Linguistics,
}

impl Purpose {
    /// Returns the kinds that it spares.
    fn spares(self) -> &'static [BoilerplateKind] {
        match self {
            Purpose::Linguistics => &[
                BoilerplateKind::Byline,
                BoilerplateKind::Caption,
                BoilerplateKind::AuthorBio,
                BoilerplateKind::Comments,
            ],
        }
    }
}

impl JudgingArgs {
    /// Returns the settings that the flags ask for, checked.
    ///
    /// # Errors
    /// If one is out of its range, or the file of decisions cannot be read or followed.
    pub fn config(&self, all_blocks: bool) -> Result<Config> {
        let mut remove = self.remove.iter().copied().fold(KindSet::none(), KindSet::with);
        let purpose = self.purpose.map_or(&[][..], Purpose::spares);
        for kind in self.spare.iter().chain(purpose) {
            remove = remove.without(*kind);
        }
        let config = Config {
            threshold: self.threshold,
            shingle: self.shingle,
            boilerplate: !self.no_boilerplate,
            model: !self.no_model,
            weights: self.model.as_deref().map(teaching::weights).transpose()?,
            rules: self.rules.as_deref().map(teaching::rules).transpose()?,
            evidence: self.evidence.as_deref().map(SavedEvidence::open).transpose()?,
            careful: self.careful,
            retellings: !self.no_retellings,
            exact: self.exact,
            verify: self.verify,
            sites: match (self.across_sites_only, self.same_site_only) {
                (true, _) => Sites::Across,
                (_, true) => Sites::Same,
                _ => Sites::All,
            },
            date_window: self.date_window,
            within: self.within.clone(),
            decisions: self.decisions.as_deref().map(decisions).transpose()?.unwrap_or_default(),
            keep: self.keep,
            remove,
            all_blocks,
            save_evidence: false,
            suggest_rules: false,
            site_priority: self.site_priority.clone(),
        };
        config.check().map_err(retold::Error::from)?;
        Ok(config)
    }
}

/// Reads a file of decisions.
fn decisions(path: &Path) -> anyhow::Result<Decisions> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("`--decisions`: `{}` could not be read", path.display()))?;
    Ok(Decisions::parse(&path.display().to_string(), &text)?)
}

/// Which part of the inputs is read, for a first look.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Reading")]
pub struct PartArgs {
    /// Read the first N documents only, in order: for a first look. Such a scan cannot be applied with `--from`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Read a sample only, such as 0.01 of the documents; the same in every run, another one with a seed, as 0.01:7
    ///
    /// A document is in it if a hash of the seed, of the path of its file and of its number in that file, taken as a number
    /// from 0 to 1, lies below the share: so it depends on no other document, and a smaller share of the same seed is a
    /// part of a larger one. With `--limit` the first N of the sample are read. Such a scan cannot be applied with `--from`.
    #[arg(long, value_name = "SHARE[:SEED]", value_parser = str::parse::<Sample>)]
    pub sample: Option<Sample>,
}

impl PartArgs {
    /// Returns the flag that has a part of the inputs read, with its value, if one does.
    pub fn flag(&self) -> Option<String> {
        let sample = self.sample.map(|sample| format!("--sample {sample}"));
        sample.or_else(|| self.limit.map(|limit| format!("--limit {limit}")))
    }
}

/// How inputs are read.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadingArgs {
    /// Field that holds the text [default: the first of text, content, body, article, maintext, raw_text,
    /// articleBody]
    #[arg(long, value_name = "NAME")]
    pub text_field: Option<String>,

    /// Field that holds the id [default: the first of id, doc_id, record_id]
    #[arg(long, value_name = "NAME")]
    pub id_field: Option<String>,

    /// Field that holds the address [default: the first of url, link, source_url, canonical_url]
    #[arg(long, value_name = "NAME")]
    pub url_field: Option<String>,

    /// Field that holds the site [default: the first of site, hostname, domain, source_domain]
    #[arg(long, value_name = "NAME")]
    pub site_field: Option<String>,

    /// Field that holds the title [default: the first of title, headline]
    #[arg(long, value_name = "NAME")]
    pub title_field: Option<String>,

    /// Field that holds the date [default: the first of date, date_publish, published, publish_date]
    #[arg(long, value_name = "NAME")]
    pub date_field: Option<String>,

    /// Match documents with those in this file or directory, which are references: what repeats one is known and dropped,
    /// and references are never written; repeatable
    ///
    /// For what is new since yesterday, or what of the training data is in the test data. The id of a reference begins with
    /// the name of the file or directory and a colon. A document that repeats one names it as its representative, and the
    /// table `references` lists those that are repeated.
    #[arg(long, value_name = "PATH")]
    pub against: Vec<PathBuf>,

    /// Take only files that match, as in .gitignore; `!` before a pattern leaves files out; repeatable: patterns to include
    /// and to exclude
    #[arg(long, value_name = "PATTERN")]
    pub glob: Vec<String>,

    /// CSV file with url, site, date and title by file name, for texts that are files
    #[arg(long, value_name = "FILE.csv")]
    pub metadata: Option<PathBuf>,

    /// Take the site from the path: the group `site` of this regular expression, or its first
    #[arg(long, value_name = "REGEX")]
    pub site_from: Option<String>,

    /// Take the site from the path: the name of the directory
    #[arg(long, value_parser = switch())]
    pub site_from_dir: bool,

    /// End with status 0 when at most this many inputs and records are skipped: a number, or a share such as 0.01
    #[arg(long, value_name = "N|SHARE", default_value = "0", value_parser = values::skip_limit)]
    pub max_skipped: SkipLimit,

    /// End with status 2 at the first input or record that cannot be read, and write nothing
    #[arg(long, value_parser = switch())]
    pub fail_fast: bool,

    /// Skip what cannot be read, list it, and end with status 1: the default, for where a settings file says `fail-fast`
    #[arg(long, value_parser = switch())]
    pub keep_going: bool,

    /// Skip a record or text that unpacks to more than this, at most 1G; an eighth of `--memory` bounds it too
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = values::record_size)]
    pub max_record: u64,

    /// Skip a record or text that is more than about so many times as long as it was packed, past its first 64M: a bomb
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_ratio: u64,
}

impl ReadingArgs {
    /// Returns whether the first thing that cannot be read ends the run.
    pub fn fails_fast(&self) -> bool {
        self.fail_fast && !self.keep_going
    }
}
