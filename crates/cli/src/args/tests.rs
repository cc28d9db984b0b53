use clap::{Command as Clap, CommandFactory, Parser};

use super::{Cli, Command, parse_id};

fn every_command(command: &Clap, path: &str, visit: &mut dyn FnMut(&str, &Clap)) {
    visit(path, command);
    for sub in command.get_subcommands() {
        every_command(sub, &format!("{path} {}", sub.get_name()), visit);
    }
}

#[test]
fn the_tree_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_help_begins_with_examples_and_says_what_it_does() {
    every_command(&Cli::command(), "quorate", &mut |path, command| {
        let mut command = command.clone();
        let help = command.render_long_help().to_string();
        assert!(help.starts_with("Examples:\n"), "{path}");
        assert!(command.get_about().is_some(), "{path} has no description");
    });
}

#[test]
fn wait_takes_a_duration_only_with_an_equals_sign() {
    let cli = Cli::try_parse_from(["quorate", "request", "wait", "3f", "--wait"]);
    assert!(matches!(cli.expect("parses").global.wait, Some(None)));
    let cli = Cli::try_parse_from(["quorate", "request", "wait", "--wait=2m", "3f"]);
    let wait = cli.expect("parses").global.wait.flatten();
    assert_eq!(wait.map(|d| d.as_secs()), Some(120));
}

#[test]
fn a_negative_amount_is_understood_and_refused() {
    let error = Cli::try_parse_from(["quorate", "send", "-1", "ETH", "--to", "0x00"])
        .expect_err("negative");
    assert!(error.to_string().contains("below zero"), "{error}");
}

#[test]
fn dry_run_is_never_silently_ignored() {
    let knows = |args: &[&str]| {
        Cli::try_parse_from(args)
            .expect("parses")
            .command
            .knows_dry_run()
    };
    assert!(knows(&["quorate", "approve", "3f"]));
    assert!(knows(&["quorate", "balance"]));
    assert!(!knows(&["quorate", "node", "init"]));
    assert!(!knows(&["quorate", "chain", "remove", "dev"]));
    assert!(!knows(&["quorate", "vault", "join", "x", "--at", "h:1"]));
    assert!(!knows(&["quorate", "request", "replace", "3f"]));
}

#[test]
fn ids_are_hex_with_or_without_prefix() {
    assert_eq!(parse_id("0x3F9a"), Ok("3f9a".to_owned()));
    assert!(parse_id("").is_err() && parse_id("0x").is_err() && parse_id("xyz").is_err());
    assert!(parse_id(&"a".repeat(65)).is_err());
}

#[test]
fn a_code_needs_an_address_and_words_need_none() {
    let parse = |args: &[&str]| Cli::try_parse_from(args).map(|cli| cli.command);
    assert!(parse(&["quorate", "vault", "join", "7-code"]).is_err());
    assert!(parse(&["quorate", "vault", "join", "--at", "h:1"]).is_err());
    assert!(
        parse(&[
            "quorate", "vault", "join", "c", "--at", "h:1", "--words", "a"
        ])
        .is_err()
    );
    assert!(matches!(
        parse(&["quorate", "vault", "join", "--words", "a b c d e f"]),
        Ok(Command::Vault { .. })
    ));
}
