//! Runs the program as a user would, from the top folder, without colour.

#![allow(dead_code, unreachable_pub, reason = "each harness uses its part")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// What came out.
pub struct Run {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The result as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|fault| {
            panic!("exit {}, no JSON ({fault}): {}{}", self.exit, self.stdout, self.stderr)
        })
    }
}

/// The folder of the project.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `bursar` with these arguments.
pub fn bursar(arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_bursar"))
        .args(arguments)
        .current_dir(root())
        .env_remove("BLESS")
        .env("NO_COLOR", "1")
        .output()
        .expect("the program was built with the tests");
    Run {
        exit: output.status.code().expect("no signal ends the program"),
        stdout: String::from_utf8(output.stdout).expect("results are UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}

/// `examples/NAME.yaml`.
pub fn example(name: &str) -> String {
    let file = format!("examples/{name}.yaml");
    assert!(Path::new(&root().join(&file)).exists(), "{file} is missing");
    file
}
