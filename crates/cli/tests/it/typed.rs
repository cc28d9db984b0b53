//! A command as typed, and what came of it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use quorate_cli::{Action, Console, run};

/// What a command printed and how it ended.
pub struct Came {
    /// Exit code.
    pub code: u8,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub side: String,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `quorate --dir DIR ARGS` without a terminal. A command that the binary would carry out is exit code 0.
pub fn quorate(dir: &Path, args: &[&str]) -> Came {
    let (out, side) = (Shared::default(), Shared::default());
    let mut console = Console::captured(Box::new(out.clone()), Box::new(side.clone()));
    let mut line: Vec<OsString> = vec!["quorate".into(), "--dir".into(), dir.into()];
    line.extend(args.iter().map(OsString::from));
    let code = match run(line, &mut console) {
        Action::Done(code) => code,
        _ => 0,
    };
    Came {
        code,
        out: out.text(),
        side: side.text(),
    }
}
