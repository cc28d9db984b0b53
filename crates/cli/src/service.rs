//! `node service install`: a systemd unit that gives the daemon no more than it needs.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf, absolute};

use quorate_api::ErrorCode;
use serde::Serialize;

use crate::Failure;
use crate::args::ServiceArgs;
use crate::context::Context;
use crate::failure::Outcome;
use crate::secret::SecretSource;

/// Everything that differs from unit to unit.
struct Unit {
    exe: PathBuf,
    dir: PathBuf,
    passphrase_file: PathBuf,
    options: String,
    user: Option<String>,
}

#[derive(Serialize)]
struct Installed<'a> {
    file: Option<&'a Path>,
    unit: &'a str,
}

/// Writes the unit, or prints it.
pub(crate) fn install(context: &mut Context<'_>, args: &ServiceArgs) -> Outcome {
    let as_root = is_root();
    let unit = unit(context, args, as_root)?.text();
    if args.print || context.global.dry_run {
        let installed = Installed {
            file: None,
            unit: &unit,
        };
        return context
            .console
            .result("service", &installed, |console, it| {
                console.raw(it.unit.as_bytes())
            });
    }
    let file = match &args.unit_file {
        Some(file) => file.clone(),
        None => default_file(as_root)?,
    };
    write(&file, &unit, context.global.yes)?;
    let installed = Installed {
        file: Some(&file),
        unit: &unit,
    };
    context
        .console
        .result("service", &installed, |console, _| {
            console.line(&format!("{} is written.", file.display()))
        })?;
    let (scope, name) = (if as_root { "" } else { " --user" }, unit_name(&file));
    context.console.note(&format!(
        "Next: systemctl{scope} daemon-reload && systemctl{scope} enable --now {name}"
    ));
    if !as_root {
        context
            .console
            .note("To keep it running after you log out: loginctl enable-linger");
    }
    Ok(())
}

fn unit(context: &Context<'_>, args: &ServiceArgs, as_root: bool) -> Outcome<Unit> {
    let Some(SecretSource::File(passphrase_file)) = &context.global.passphrase_file else {
        return Err(Failure::usage(
            "a service cannot be asked for the passphrase",
            "name a file that only you can read with --passphrase-file; systemd hands it over as a credential",
        ));
    };
    if args.user.is_some() && !as_root {
        return Err(Failure::usage(
            "only root can install a service for another account",
            "run it with sudo, or leave --user away",
        ));
    }
    let exe = env::current_exe().map_err(|error| Failure::file(Path::new("quorate"), &error))?;
    let mut options = String::new();
    for (flag, address) in [("--listen", args.listen), ("--pairing", args.pairing)] {
        if let Some(address) = address {
            options.push_str(&format!(" {flag} {address}"));
        }
    }
    Ok(Unit {
        exe: plain_path(&exe)?,
        dir: plain_path(&context.dir)?,
        passphrase_file: plain_path(passphrase_file)?,
        options,
        user: args.user.clone(),
    })
}

impl Unit {
    fn text(&self) -> String {
        let (exe, dir) = (self.exe.display(), self.dir.display());
        let passphrase = self.passphrase_file.display();
        let options = &self.options;
        let user = self.user.as_ref();
        let user = user.map_or_else(String::new, |user| format!("User={user}\n"));
        let target = match self.user {
            Some(_) => "multi-user.target",
            None if is_root() => "multi-user.target",
            None => "default.target",
        };
        format!(
            "\
# Written by `quorate node service install`.
[Unit]
Description=Quorate member in {dir}
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart={exe} --dir {dir} --passphrase-file %d/passphrase node run{options}
LoadCredential=passphrase:{passphrase}
{user}Restart=on-failure
RestartSec=5

# No secret in a core dump, no file for other users.
LimitCORE=0
UMask=0077

# The file system is read-only but for the member's folder.
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={dir}
PrivateTmp=yes
PrivateDevices=yes

# Nothing of the kernel, of other processes, or of more rights.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
MemoryDenyWriteExecute=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy={target}
"
        )
    }
}

/// An absolute path that needs no quoting in a unit.
fn plain_path(path: &Path) -> Outcome<PathBuf> {
    let path = absolute(path).map_err(|error| Failure::file(path, &error))?;
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:,".contains(c);
    if path.to_str().is_some_and(|text| text.chars().all(plain)) {
        return Ok(path);
    }
    Err(Failure::usage(
        format!(
            "{} has characters that a unit would misread",
            path.display()
        ),
        "use paths of letters, digits and / . _ - + @ only",
    ))
}

fn write(file: &Path, unit: &str, replace: bool) -> Outcome {
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).map_err(|error| Failure::file(parent, &error))?;
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if replace {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options
        .open(file)
        .and_then(|mut out| out.write_all(unit.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(
            ErrorCode::Duplicate,
            format!("{} exists", file.display()),
            "replace it with --yes, or name another file with --unit-file",
        ),
        _ => Failure::file(file, &error),
    })
}

fn default_file(as_root: bool) -> Outcome<PathBuf> {
    if as_root {
        return Ok(PathBuf::from("/etc/systemd/system/quorate.service"));
    }
    let config = env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let config = config.ok_or_else(|| {
        Failure::usage(
            "your home folder is not known",
            "name the file with --unit-file",
        )
    })?;
    Ok(config.join("systemd/user/quorate.service"))
}

fn unit_name(file: &Path) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy());
    name.map_or_else(|| "quorate.service".to_owned(), |name| name.into_owned())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Unit, plain_path};

    #[test]
    fn the_unit_is_hardened_and_holds_no_secret() {
        let unit = Unit {
            exe: PathBuf::from("/usr/bin/quorate"),
            dir: PathBuf::from("/var/lib/quorate"),
            passphrase_file: PathBuf::from("/root/pass"),
            options: " --listen 0.0.0.0:4409".to_owned(),
            user: Some("quorate".to_owned()),
        };
        let text = unit.text();
        for line in [
            "ExecStart=/usr/bin/quorate --dir /var/lib/quorate --passphrase-file %d/passphrase node run --listen 0.0.0.0:4409",
            "LoadCredential=passphrase:/root/pass",
            "User=quorate",
            "LimitCORE=0",
            "ProtectSystem=strict",
            "ReadWritePaths=/var/lib/quorate",
            "NoNewPrivileges=yes",
            "MemoryDenyWriteExecute=yes",
            "PrivateTmp=yes",
            "SystemCallFilter=@system-service",
            "WantedBy=multi-user.target",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }

    /// Threat: a path breaks out of its line and adds a directive.
    #[test]
    fn a_path_that_a_unit_would_misread_is_refused() {
        for bad in [
            "/a b",
            "/a\nExecStart=/bin/sh",
            "/a%h",
            "/a$HOME",
            "/a\"b",
            "/a\\b",
        ] {
            assert!(plain_path(Path::new(bad)).is_err(), "{bad:?}");
        }
        assert!(plain_path(Path::new("/srv/quorate-1/a.b")).is_ok());
    }
}
