//! A folder: an object is a file that is renamed into its place once all of it is on the disk.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use kernel::{CanFail, Error, Result};

use super::{Place, Sink};
use crate::format::unreachable_io;

/// What a file is called while it is written.
const PART: &str = ".part";

pub(super) struct Folder {
    path: PathBuf,
    url: String,
}

impl Folder {
    pub fn new(path: &str, make: bool) -> Result<Self> {
        let failed = |error: std::io::Error| Error::Unavailable(format!("The folder {path} cannot be used: {error}."));
        if make {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        }
        let path = std::fs::canonicalize(path).map_err(failed)?;
        let url = path.to_str().ok_or_else(|| Error::field("to", "not_text", "is not a path in UTF-8"))?.to_owned();
        Ok(Self { path, url })
    }
}

impl Place for Folder {
    fn url(&self) -> &str {
        &self.url
    }

    fn create(&self, name: &str) -> Result<Box<dyn Sink>> {
        let (path, part) = (self.path.join(name), self.path.join(format!("{name}{PART}")));
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let file = file.map_err(|error| unreachable_io(&error))?;
        Ok(Box::new(FileSink { out: Some(BufWriter::with_capacity(1 << 20, file)), part, path }))
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read + Send>> {
        match File::open(self.path.join(name)) {
            Ok(file) => Ok(Box::new(std::io::BufReader::with_capacity(1 << 20, file))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::NotFound),
            Err(error) => Err(unreachable_io(&error)),
        }
    }

    fn list(&self) -> Result<Vec<String>> {
        let entries = std::fs::read_dir(&self.path).map_err(|error| unreachable_io(&error))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.filter(|name| !name.ends_with(PART)).collect())
    }

    fn delete(&self, name: &str) -> Result<()> {
        match std::fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unreachable_io(&error)),
            _ => Ok(()),
        }
    }
}

struct FileSink {
    /// Present until it is finished.
    out: Option<BufWriter<File>>,
    part: PathBuf,
    path: PathBuf,
}

impl Write for FileSink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.as_mut().map_or(Ok(0), |out| out.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Sink for FileSink {
    fn finish(mut self: Box<Self>) -> Result<()> {
        let finish = |out: Option<BufWriter<File>>| {
            if let Some(out) = out {
                out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
            }
            std::fs::rename(&self.part, &self.path)?;
            File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        finish(self.out.take()).map_err(|error| unreachable_io(&error))
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        if self.out.take().is_some() {
            std::fs::remove_file(&self.part)
                .can_fail("a part that stays is not offered, and is overwritten by the next of its name");
        }
    }
}
