//! `--help`, `--version`, `completions`, and what is no command at all.

use crate::common::run;

#[test]
fn every_command_has_help_with_examples() {
    let names = ["serve", "demo", "produce", "query", "status", "completions"];
    let verbs = ["consume", "topics", "groups", "configs", "transactions"];
    let named: Vec<[&str; 1]> = names.iter().chain(&verbs).map(|name| [*name]).collect();
    let commands = [&[][..]].into_iter().chain(named.iter().map(|name| &name[..]));
    for command in commands {
        let output = run(&[command, &["--help"]].concat());
        assert!(output.status.success(), "{command:?}");
        assert!(output.stdout.contains("Example"), "{command:?}:\n{}", output.stdout);
        assert!(output.stdout.contains("brooklet"), "{command:?}");
        assert_eq!(output.stderr, "", "{command:?}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(run(&["--version"]).stdout, format!("brooklet {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_know_commands_and_flags() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        for word in ["serve", "demo", "produce", "data-dir", "bootstrap-server"] {
            assert!(output.stdout.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn usage_errors_name_what_is_wrong_and_end_with_2() {
    let cases: [(&[&str], &str); 11] = [
        (&["--listen", "127.0.0.1:1"], "brooklet serve --listen"),
        (&["--query=SELECT 1"], "brooklet serve --query"),
        (&["sevre"], "sevre"),
        (&["serve", "--listen", "9092"], "HOST:PORT"),
        (&["serve", "--partitions", "0"], "--partitions"),
        (&["serve", "--storage", "floppy"], "segments"),
        (&["serve", "--trigger", "soon"], "duration"),
        (&["demo", "--rate", "0"], "above 0"),
        (&["produce"], "--topic"),
        (&["produce", "--topic", "t", "--generate", "5", "--size", "3"], "at least"),
        (&["produce", "--topic", "t", "--generate", "5", "file"], "cannot be used"),
    ];
    for (args, part) in cases {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stderr.contains(part), "{args:?}:\n{}", output.stderr);
        assert_eq!(output.stdout, "", "{args:?}");
    }
}
