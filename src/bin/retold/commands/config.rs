//! `config`: an annotated settings file, or every setting with its value and where it comes from.

use anyhow::Result;
use serde_json::json;

use crate::args::{ConfigArgs, Format};
use crate::commands::{Status, print};
use crate::settings::{Parsed, Setting};

/// Prints the settings.
pub fn run(parsed: &Parsed, args: &ConfigArgs) -> Result<Status> {
    let settings = parsed.settings();
    let text = match parsed.cli.global.format {
        Format::Json => json_text(&settings),
        Format::Text if args.print => table(&settings),
        Format::Text => template(&settings),
    };
    print(text.as_bytes())?;
    Ok(Status::Done)
}

/// Returns a value as TOML.
fn toml_value(setting: &Setting) -> String {
    let one = |value: &String| {
        if setting.bare { value.clone() } else { toml::Value::String(value.clone()).to_string() }
    };
    match (setting.values.as_slice(), setting.several) {
        (values, true) => format!("[{}]", values.iter().map(one).collect::<Vec<_>>().join(", ")),
        ([value], false) => one(value),
        _ => "\"\"".to_owned(),
    }
}

/// Returns one line a setting; lines without a value are comments, so that the whole is TOML.
fn table(settings: &[Setting]) -> String {
    let line = |setting: &Setting| match (setting.values.is_empty(), setting.several) {
        (true, false) => format!("# {}: {}", setting.name, setting.unset.as_deref().unwrap_or("not set")),
        _ => format!("{} = {}", setting.name, toml_value(setting)),
    };
    let lines: Vec<String> = settings.iter().map(line).collect();
    // A long value does not push every origin to the right.
    let width = lines.iter().map(String::len).filter(|len| *len < 60).max().unwrap_or(0);
    let rows = lines.iter().zip(settings);
    rows.map(|(line, setting)| format!("{line:<width$}  # {}\n", setting.origin)).collect()
}

/// Returns a settings file that says nothing yet: every setting stands in it as a comment, with its help.
fn template(settings: &[Setting]) -> String {
    let mut text = String::from(
        "# Settings of `retold`. Those that are taken out of their comment hold for every run in this directory and\n\
         # below it, unless a flag or a RETOLD_* variable says otherwise.\n",
    );
    for setting in settings {
        text.push_str(&format!("\n# {}\n", setting.help.replace('\n', "\n# ")));
        text.push_str(&format!("# {} = {}\n", setting.name, toml_value(setting)));
    }
    text
}

fn json_text(settings: &[Setting]) -> String {
    let object: serde_json::Map<String, serde_json::Value> = settings
        .iter()
        .map(|setting| {
            let typed = |text: &String| match serde_json::from_str(text) {
                Ok(value) if setting.bare => value,
                _ => json!(text),
            };
            let value = match (setting.several, setting.values.as_slice()) {
                (true, values) => json!(values.iter().map(typed).collect::<Vec<_>>()),
                (false, [value]) => typed(value),
                (false, _) => serde_json::Value::Null,
            };
            (setting.name.clone(), json!({ "value": value, "from": setting.origin }))
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&object).expect("an object of plain values is JSON");
    text.push('\n');
    text
}
