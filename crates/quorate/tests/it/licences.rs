//! Holds what we may build on: a licence we can ship under, and no package on the list of bans.

use std::collections::BTreeSet;

use cargo_metadata::Package;
use cargo_metadata::semver::Version;
use spdx::{Expression, LicenseItem, LicenseReq, ParseMode};

use crate::repository::{assert_none, house, metadata};

/// Licences whose terms `MIT OR Apache-2.0` code can be shipped beside. MPL-2.0 is weak copyleft, file by file.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Exceptions that only ever give more.
const ALLOWED_EXCEPTIONS: &[&str] = &["LLVM-exception"];

/// Packages that state no expression, with the licence read from their files. Version by version.
const STATED_ELSEWHERE: &[(&str, &str, &str)] = &[];

struct Ban {
    package: &'static str,
    /// Versions below this are banned; `None` bans every version.
    below: Option<&'static str>,
    reason: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        package: "sl-dkls23",
        below: None,
        reason: "its licence forbids commercial use",
    },
    Ban {
        package: "sl-oblivious",
        below: None,
        reason: "part of sl-dkls23; states no licence",
    },
    Ban {
        package: "sl-mpc-mate",
        below: None,
        reason: "part of sl-dkls23; states no licence",
    },
    Ban {
        package: "multi-party-ecdsa",
        below: None,
        reason: "GG18/GG20 (TSSHOCK, BitForge), and GPL",
    },
    Ban {
        package: "cggmp21",
        below: Some("0.6.3"),
        reason: "CVE-2025-66016, CVE-2025-66017",
    },
    Ban {
        package: "cggmp24",
        below: Some("0.7.0-alpha.2"),
        reason: "CVE-2025-66016, CVE-2025-66017",
    },
    Ban {
        package: "gmp-mpfr-sys",
        below: None,
        reason: "LGPL, linked statically",
    },
    Ban {
        package: "rug",
        below: None,
        reason: "LGPL, over gmp-mpfr-sys",
    },
    Ban {
        package: "openssl-sys",
        below: None,
        reason: "one TLS stack, rustls, in one static binary",
    },
    Ban {
        package: "native-tls",
        below: None,
        reason: "one TLS stack, rustls, in one static binary",
    },
    Ban {
        package: "aws-lc-sys",
        below: None,
        reason: "one cryptography provider under TLS, ring",
    },
];

fn packages(metadata: &cargo_metadata::Metadata) -> Vec<&Package> {
    let ours: BTreeSet<&str> = house(metadata)
        .iter()
        .map(|(_, package)| package.name.as_str())
        .collect();
    metadata
        .packages
        .iter()
        .filter(|package| !ours.contains(package.name.as_str()))
        .collect()
}

/// Whether we can meet one term of an expression.
fn allowed(requirement: &LicenseReq) -> bool {
    let LicenseItem::Spdx { id, .. } = &requirement.license else {
        return false;
    };
    let exception = match &requirement.addition {
        None => true,
        Some(addition) => ALLOWED_EXCEPTIONS.contains(&addition.to_string().as_str()),
    };
    ALLOWED.contains(&id.name) && exception
}

/// What is wrong with a licence expression, if anything.
fn objection(expression: &str) -> Option<String> {
    match Expression::parse_mode(expression, ParseMode::LAX) {
        Err(error) => Some(format!(
            "`{expression}` is no SPDX expression: {}",
            error.reason
        )),
        Ok(parsed) if parsed.evaluate(allowed) => None,
        Ok(_) => Some(format!("`{expression}` is not met by the allowed licences")),
    }
}

fn expression(package: &Package) -> Option<&str> {
    let elsewhere = STATED_ELSEWHERE
        .iter()
        .find(|(name, version, _)| {
            *name == package.name.as_str() && *version == package.version.to_string()
        })
        .map(|(_, _, licence)| *licence);
    package.license.as_deref().or(elsewhere)
}

#[test]
fn every_dependency_comes_under_a_licence_we_can_ship_under() {
    let metadata = metadata();
    let wrong: Vec<String> = packages(&metadata)
        .into_iter()
        .filter_map(|package| {
            let objection = match expression(package) {
                None => Some("states no licence".to_owned()),
                Some(expression) => objection(expression),
            };
            objection.map(|why| format!("{} {}: {why}", package.name, package.version))
        })
        .collect();
    assert_none(
        &wrong,
        "Use another package; the list of licences grows by an ADR only.",
    );
}

#[test]
fn our_own_crates_are_mit_or_apache() {
    let metadata = metadata();
    let wrong: Vec<String> = house(&metadata)
        .into_iter()
        .filter(|(_, package)| package.license.as_deref() != Some("MIT OR Apache-2.0"))
        .map(|(name, package)| format!("{name}: {:?}", package.license))
        .collect();
    assert_none(&wrong, "Write `license.workspace = true`.");
}

/// Why this version of this package must not be in the graph, if it must not.
fn ban(name: &str, version: &Version) -> Option<&'static str> {
    BANS.iter()
        .filter(|ban| ban.package == name)
        .find(|ban| {
            ban.below
                .is_none_or(|below| *version < below.parse().unwrap())
        })
        .map(|ban| ban.reason)
}

#[test]
fn no_banned_package_is_in_the_graph() {
    let metadata = metadata();
    let wrong: Vec<String> = packages(&metadata)
        .into_iter()
        .filter_map(|package| {
            let reason = ban(&package.name, &package.version)?;
            Some(format!("{} {}: {reason}", package.name, package.version))
        })
        .collect();
    assert_none(
        &wrong,
        "`cargo tree --invert PACKAGE --edges all` shows who asks for it.",
    );
}

#[test]
fn a_ban_ends_at_the_version_that_mended_it() {
    let cggmp24 = |version: &str| ban("cggmp24", &version.parse().unwrap());
    assert!(cggmp24("0.7.0-alpha.1").is_some());
    assert_eq!(cggmp24("0.7.0-alpha.2"), None);
    assert!(ban("openssl-sys", &"99.0.0".parse().unwrap()).is_some());
    assert_eq!(ban("openssl-probe", &"0.1.0".parse().unwrap()), None);
}

#[test]
fn expressions_are_evaluated_and_not_searched() {
    for met in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "Apache-2.0 WITH LLVM-exception",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
    ] {
        assert_eq!(objection(met), None, "{met}");
    }
    for unmet in [
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "LGPL-3.0-or-later",
        "(MIT OR Apache-2.0) AND LicenseRef-Ours",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "MIT OR",
        "NonCommercial",
    ] {
        assert!(objection(unmet).is_some(), "{unmet}");
    }
}
