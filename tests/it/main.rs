//! Stories of users, each told by running the program or the library whole.

mod addresses;
mod archives;
#[cfg(feature = "arrow")]
mod arrow;
mod batch_runs;
mod broken_input;
mod browser;
mod clean_articles;
mod command_line;
mod containers;
mod corrections;
mod daily_scrape;
mod every_format;
mod find_retellings;
mod interrupted_run;
mod large_crawl;
mod layering;
mod licences;
mod mutated_input;
mod readme;
mod report;
mod seeds;
mod support;
mod teaching;
