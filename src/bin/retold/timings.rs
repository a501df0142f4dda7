//! What each stage of a run took, as a table for people.

use retold::output::{StageFacts, Summary};

use crate::render::{count, size};

/// Returns the stages of a run, one a line; `input_bytes` is what a pass over the input reads.
pub fn table(summary: &Summary, input_bytes: u64) -> String {
    let mut lines =
        vec![["stage", "seconds", "share", "cpu s", "busy", "records", "MB/s", "peak", "scratch"].map(str::to_owned)];
    let run = &summary.run;
    let all: f64 = run.stages.iter().map(|stage| stage.seconds).sum();
    lines.extend(run.stages.iter().map(|stage| line(stage, all, input_bytes)));
    let total = StageFacts {
        stage: "all".to_owned(),
        seconds: all,
        cpu_seconds: run.stages.iter().map(|stage| stage.cpu_seconds).sum(),
        records: summary.documents,
        peak_resident: run.peak_resident,
        scratch_bytes: run.stages.iter().map(|stage| stage.scratch_bytes).sum(),
    };
    lines.push(line(&total, all, input_bytes));
    let widths: Vec<usize> =
        (0..lines[0].len()).map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0)).collect();
    let mut text = "\nTimings:\n".to_owned();
    for line in &lines {
        let cells: Vec<String> =
            line[1..].iter().zip(&widths[1..]).map(|(cell, width)| format!("{cell:>width$}")).collect();
        text.push_str(&format!("  {:<width$}  {}\n", line[0], cells.join("  "), width = widths[0]));
    }
    text.push_str(&format!(
        "MB/s: the input, {}, over the stage's seconds; busy: processors at work on average.\n\
         At most {} of scratch files lay on disk at once.\n",
        size(input_bytes),
        size(run.peak_scratch)
    ));
    text
}

fn line(stage: &StageFacts, all: f64, input_bytes: u64) -> [String; 9] {
    let unknown = || "-".to_owned();
    let over = |amount: f64, seconds: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
    [
        stage.stage.clone(),
        format!("{:.2}", stage.seconds),
        format!("{:.0}%", 100.0 * over(stage.seconds, all)),
        stage.cpu_seconds.map_or_else(unknown, |cpu| format!("{cpu:.2}")),
        stage.cpu_seconds.map_or_else(unknown, |cpu| format!("{:.1}", over(cpu, stage.seconds))),
        count(stage.records),
        format!("{:.0}", over(input_bytes as f64 / 1e6, stage.seconds)),
        stage.peak_resident.map_or_else(unknown, size),
        size(stage.scratch_bytes),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_a_line_and_all_of_them_one() {
        let stage = |name: &str, seconds| StageFacts {
            stage: name.to_owned(),
            seconds,
            cpu_seconds: Some(2.0 * seconds),
            records: 1000,
            peak_resident: Some(64 << 20),
            scratch_bytes: 0,
        };
        let mut summary = Summary::default();
        summary.run.stages = vec![stage("read", 3.0), stage("judge", 1.0)];
        let text = table(&summary, 8_000_000);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert!(lines[1].starts_with("  stage  seconds  share"), "{text}");
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(lines[2])[..7], ["read", "3.00", "75%", "6.00", "2.0", "1,000", "3"]);
        assert_eq!(words(lines[4])[..5], ["all", "4.00", "100%", "8.00", "2.0"]);
    }
}
