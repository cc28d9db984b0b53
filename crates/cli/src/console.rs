//! The two streams a command writes to. Results go out, progress and prompts go to the side.

use std::env;
use std::io::{self, BufRead, IsTerminal, Write};

use quorate_api::{Envelope, ErrorCode};
use serde::Serialize;

use crate::Failure;
use crate::failure::Outcome;

/// How a line looks on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Warn,
    Bad,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\u{1b}[1m",
            Self::Dim => "\u{1b}[2m",
            Self::Good => "\u{1b}[32m",
            Self::Warn => "\u{1b}[33m",
            Self::Bad => "\u{1b}[31m",
        }
    }
}

/// Where a command writes, and whether a person sits there.
pub struct Console {
    out: Box<dyn Write>,
    side: Box<dyn Write>,
    interactive: bool,
    out_color: bool,
    side_color: bool,
    json: bool,
}

impl Console {
    /// The process's own streams.
    pub fn system() -> Self {
        let color = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self {
            interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
            out_color: color && io::stdout().is_terminal(),
            side_color: color && io::stderr().is_terminal(),
            out: Box::new(io::stdout()),
            side: Box::new(io::stderr()),
            json: false,
        }
    }

    /// Streams of a program that drives the commands itself; nobody to ask, no colours.
    pub fn captured(out: Box<dyn Write>, side: Box<dyn Write>) -> Self {
        Self {
            out,
            side,
            interactive: false,
            out_color: false,
            side_color: false,
            json: false,
        }
    }

    /// From now on results are JSON.
    pub(crate) fn set_json(&mut self, json: bool) {
        self.json = json;
    }

    /// Whether results are JSON.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether a person can be asked.
    pub(crate) fn interactive(&self) -> bool {
        self.interactive
    }

    /// A line of the result. Control characters that came from other members do not reach the terminal.
    pub(crate) fn line(&mut self, text: &str) -> Outcome {
        self.styled(Style::Plain, text)
    }

    /// A line of the result in a style.
    pub(crate) fn styled(&mut self, style: Style, text: &str) -> Outcome {
        let text = painted(self.out_color, style, text);
        writeln!(self.out, "{text}").map_err(|error| stream_failure(&error))
    }

    /// Bytes of the result, as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Outcome {
        let written = self.out.write_all(bytes).and_then(|()| self.out.flush());
        written.map_err(|error| stream_failure(&error))
    }

    /// The result as one line of JSON in its envelope.
    pub(crate) fn envelope<T: Serialize>(&mut self, kind: &str, value: &T) -> Outcome {
        let envelope = Envelope::new(kind, value);
        let mut text = serde_json::to_string(&envelope).map_err(|error| {
            Failure::new(
                ErrorCode::Internal,
                format!("cannot print the result: {error}"),
                "please report this",
            )
        })?;
        text.push('\n');
        self.raw(text.as_bytes())
    }

    /// The result: JSON if asked for, else as `human` prints it.
    pub(crate) fn result<T: Serialize>(
        &mut self,
        kind: &str,
        value: &T,
        human: impl FnOnce(&mut Self, &T) -> Outcome,
    ) -> Outcome {
        if self.json {
            self.envelope(kind, value)
        } else {
            human(self, value)
        }
    }

    /// A line of progress.
    pub(crate) fn note(&mut self, text: &str) {
        self.aside(Style::Dim, text);
    }

    /// A line to the side, in a style. That nobody reads it any more is no failure.
    pub(crate) fn aside(&mut self, style: Style, text: &str) {
        let text = painted(self.side_color, style, text);
        drop(writeln!(self.side, "{text}"));
    }

    /// Prints a failure: `error:` and `hint:` to the side, and the envelope if JSON was asked for.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        if self.json {
            drop(self.envelope("error", failure.as_api()));
        }
        let label = |console: &mut Self, style, label: &str, text: &str| {
            let label = painted(console.side_color, style, label);
            drop(writeln!(console.side, "{label} {}", clean(text)));
        };
        label(self, Style::Bad, "error:", failure.message());
        if !failure.hint().is_empty() {
            label(self, Style::Bold, "hint:", failure.hint());
        }
    }

    /// Asks a question that only `yes` answers with yes.
    pub(crate) fn ask_yes(&mut self, question: &str) -> Outcome<bool> {
        let text = painted(self.side_color, Style::Bold, question);
        let shown = write!(self.side, "{text} [yes/no] ").and_then(|()| self.side.flush());
        shown.map_err(|error| stream_failure(&error))?;
        let mut answer = String::new();
        io::stdin()
            .lock()
            .read_line(&mut answer)
            .map_err(|error| stream_failure(&error))?;
        Ok(answer.trim().eq_ignore_ascii_case("yes"))
    }
}

/// Message of the failure that stands for a reader who left; nothing is printed for it.
pub(crate) const READER_LEFT: &str = "nobody reads the output any more";

fn stream_failure(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new(ErrorCode::Internal, READER_LEFT, "");
    }
    Failure::new(
        ErrorCode::Internal,
        format!("cannot write the output: {error}"),
        "check where the output goes",
    )
}

fn painted(color: bool, style: Style, text: &str) -> String {
    let text = clean(text);
    if color && style != Style::Plain && !text.is_empty() {
        format!("{}{text}\u{1b}[0m", style.code())
    } else {
        text
    }
}

/// `text` without what could move the cursor, recolour or reorder what a person reads.
pub(crate) fn clean(text: &str) -> String {
    let harmful = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
    };
    text.chars()
        .map(|c| if harmful(c) { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Style, clean, painted};

    /// Threat: a note of another member recolours, overwrites or reorders what an approver reads.
    #[test]
    fn text_of_others_cannot_steer_the_terminal() {
        assert_eq!(clean("pay\u{1b}[2Kto"), "pay\u{fffd}[2Kto");
        assert_eq!(clean("a\rb\u{8}c\u{202e}d"), "a\u{fffd}b\u{fffd}c\u{fffd}d");
        assert_eq!(clean("müller & söhne"), "müller & söhne");
    }

    #[test]
    fn without_colour_nothing_is_added() {
        assert_eq!(painted(false, Style::Bad, "x"), "x");
        assert_eq!(painted(true, Style::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
