//! The directory, its files, their modes, the lock and the commit mark.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::Error;
use crate::digest::Key;
use crate::rows::same;

const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// What a store's directory holds.
pub(crate) struct Layout {
    pub(crate) dir: PathBuf,
    pub(crate) database: PathBuf,
    /// The database while it is being made; renamed when whole.
    pub(crate) draft: PathBuf,
    lock: PathBuf,
    mark: PathBuf,
}

impl Layout {
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            database: dir.join("store.db"),
            draft: dir.join("store.db.new"),
            lock: dir.join("store.lock"),
            mark: dir.join("store.mark"),
        }
    }

    /// Makes the directory if need be, and checks its mode.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        if !exists(&self.dir)? {
            let made = DirBuilder::new()
                .recursive(true)
                .mode(DIR_MODE)
                .create(&self.dir);
            made.and_then(|()| fs::set_permissions(&self.dir, Permissions::from_mode(DIR_MODE)))
                .map_err(|error| Error::io("making", &self.dir, error))?;
        }
        check_mode(&self.dir, DIR_MODE)
    }

    /// Refuses a store that is not there, is not a plain file, or can be read by others.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !exists(&self.database)? {
            return Err(Error::NotInitialised {
                path: self.dir.clone(),
            });
        }
        check_mode(&self.dir, DIR_MODE)?;
        let beside = ["-wal", "-shm"].map(|suffix| suffixed(&self.database, suffix));
        for path in [&self.database, &self.lock, &self.mark]
            .into_iter()
            .chain(&beside)
        {
            if exists(path)? {
                check_mode(path, FILE_MODE)?;
                check_plain(path)?;
            }
        }
        if exists(&suffixed(&self.database, "-journal"))? {
            let why = "a rollback journal lies beside it, which a store never has".to_owned();
            return Err(Error::ForeignDatabase {
                path: self.database.clone(),
                why,
            });
        }
        Ok(())
    }

    pub(crate) fn is_initialised(&self) -> Result<bool, Error> {
        exists(&self.database)
    }

    /// Takes the lock, for as long as the file lives.
    pub(crate) fn lock(&self) -> Result<File, Error> {
        let file = private_file(&self.lock, false)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(Errno::WOULDBLOCK) => Err(Error::Locked {
                path: self.lock.clone(),
            }),
            Err(error) => Err(Error::io("locking", &self.lock, error.into())),
        }
    }

    /// Removes what an interrupted `init` left; it was never a store.
    pub(crate) fn remove_drafts(&self) -> Result<(), Error> {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let path = suffixed(&self.draft, suffix);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("removing", &path, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes the empty file that a database is then written into.
    pub(crate) fn make_draft(&self) -> Result<(), Error> {
        private_file(&self.draft, true).map(drop)
    }

    /// Makes the finished draft the store, durably.
    pub(crate) fn publish(&self) -> Result<(), Error> {
        let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
        sync(&self.draft)
            .and_then(|()| fs::rename(&self.draft, &self.database))
            .and_then(|()| sync(&self.dir))
            .and_then(|()| {
                self.dir
                    .parent()
                    .filter(|parent| *parent != Path::new(""))
                    .map_or(Ok(()), sync)
            })
            .map_err(|error| Error::io("making", &self.database, error))
    }

    /// Makes the first mark, durably.
    pub(crate) fn make_mark(&self, key: &Key, commits: u64) -> Result<(), Error> {
        let mark = Mark {
            file: private_file(&self.mark, false)?,
            path: self.mark.clone(),
        };
        mark.write(key, commits)?;
        mark.sync()
    }

    /// Opens the mark and returns it with the commits that it says were acknowledged.
    pub(crate) fn open_mark(&self, key: &Key) -> Result<(Mark, u64), Error> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.mark)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Error::corrupt("mark", "missing"),
                _ => Error::io("opening", &self.mark, error),
            })?;
        let mark = Mark {
            file,
            path: self.mark.clone(),
        };
        let commits = mark.read(key)?;
        Ok((mark, commits))
    }
}

/// How many commits were acknowledged, beside the database.
///
/// SQLite takes a damaged write-ahead log for one that was cut off by a crash, and goes on without the
/// commits in it. The mark is written after every commit (not fsynced: what a power cut takes
/// from it is only this check, not data) and so exposes that.
pub(crate) struct Mark {
    file: File,
    path: PathBuf,
}

impl Mark {
    pub(crate) fn write(&self, key: &Key, commits: u64) -> Result<(), Error> {
        let count = commits.to_be_bytes();
        let bytes = [count.as_slice(), &mark_tag(key, &count)].concat();
        self.file
            .write_all_at(&bytes, 0)
            .map_err(|error| Error::io("writing", &self.path, error))
    }

    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.file
            .sync_all()
            .map_err(|error| Error::io("writing", &self.path, error))
    }

    fn read(&self, key: &Key) -> Result<u64, Error> {
        let mut bytes = [0u8; 40];
        let length = self
            .file
            .metadata()
            .map_err(|error| Error::io("reading", &self.path, error))?
            .len();
        if length != bytes.len() as u64 || self.file.read_exact_at(&mut bytes, 0).is_err() {
            return Err(Error::corrupt("mark", "length"));
        }
        match bytes.split_first_chunk() {
            Some((count, tag)) if same(&mark_tag(key, count), tag) => {
                Ok(u64::from_be_bytes(*count))
            }
            _ => Err(Error::corrupt("mark", "commits")),
        }
    }
}

fn mark_tag(key: &Key, count: &[u8; 8]) -> [u8; 32] {
    key.mac(&[b"quorate/store/mark/v1", count])
}

/// Opens or makes a file that was never looser than 0600, whatever the umask.
fn private_file(path: &Path, must_be_new: bool) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(FILE_MODE);
    let options = if must_be_new {
        options.create_new(true)
    } else {
        options.create(true).truncate(false)
    };
    let file = options
        .open(path)
        .map_err(|error| Error::io("making", path, error))?;
    let mode = mode_of(path)?;
    if mode & !FILE_MODE != 0 {
        return Err(Error::LoosePermissions {
            path: path.to_owned(),
            mode,
            want: FILE_MODE,
        });
    }
    if mode != FILE_MODE {
        file.set_permissions(Permissions::from_mode(FILE_MODE))
            .map_err(|error| Error::io("making", path, error))?;
    }
    Ok(file)
}

fn check_mode(path: &Path, want: u32) -> Result<(), Error> {
    let mode = mode_of(path)?;
    if mode & !want != 0 {
        return Err(Error::LoosePermissions {
            path: path.to_owned(),
            mode,
            want,
        });
    }
    Ok(())
}

fn check_plain(path: &Path) -> Result<(), Error> {
    let plain = fs::symlink_metadata(path)
        .map_err(|error| Error::io("reading", path, error))?
        .is_file();
    let why = || "it is a link or a device, not a file".to_owned();
    if plain {
        Ok(())
    } else {
        Err(Error::ForeignDatabase {
            path: path.to_owned(),
            why: why(),
        })
    }
}

fn mode_of(path: &Path) -> Result<u32, Error> {
    let metadata = fs::metadata(path).map_err(|error| Error::io("reading", path, error))?;
    Ok(metadata.permissions().mode() & 0o7777)
}

fn exists(path: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(Error::io("reading", path, error)),
    }
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
