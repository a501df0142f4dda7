//! What the README says can be done, is done.

use std::path::Path;

use crate::support::Place;

/// Returns the lines of the README's shell blocks that run the program.
fn commands(readme: &str) -> Vec<&str> {
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter(|line| line.starts_with("retold ")).collect()
}

#[test]
fn every_command_of_the_readme_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains("\ncargo run --release -- scan seeds\ncargo test\n"));
    let place = Place::new();
    for entry in std::fs::read_dir(root.join("seeds")).unwrap() {
        let path = entry.unwrap().path();
        place.file(&format!("seeds/{}", path.file_name().unwrap().display()), std::fs::read(&path).unwrap());
    }
    place.file("corpus/documents/one.jsonl", "{\"id\": \"1\", \"text\": \"The board met on Monday.\"}\n");
    let commands = commands(&readme);
    assert!(commands.len() > 5, "{commands:?}");
    for command in commands {
        place.shell(command).ends_with(0);
    }
    for name in place.tree("seeds") {
        assert_eq!(place.read(&format!("again/{name}")), place.read(&format!("seeds/{name}")), "{name}");
    }
}
