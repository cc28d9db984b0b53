//! What the command line prints before any daemon is involved.

use std::path::Path;

/// `TRYCMD=overwrite` writes them anew; read the difference before you commit it.
#[test]
fn what_the_command_line_prints() {
    trycmd::TestCases::new()
        .register_bin("quorate", Path::new(env!("CARGO_BIN_EXE_quorate")))
        .env("QUORATE_DIR", "no-such-folder")
        .env("NO_COLOR", "1")
        .env("TZ", "UTC")
        .case("tests/it/cmd/*.trycmd");
}
