//! Opens the input: finds gzip and xz by their first bytes, decompresses as a stream, counts what comes out.

use std::io::{self, Read};

use serde::Serialize;

use crate::error::Failure;
use crate::{Error, ErrorKind, Position};

/// How a file was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Not at all.
    Plain,
    /// RFC 1952, one or more members.
    Gzip,
    /// The .xz format, one or more streams.
    Xz,
}

/// What `xz -9` needs is 65 MiB.
const XZ_MEMORY_MAX: u64 = 128 * 1024 * 1024;

/// The decompressed file, with a look ahead.
pub(crate) struct Source<'r> {
    inner: Box<dyn Read + 'r>,
    encoding: Encoding,
    ahead: Vec<u8>,
    ahead_taken: usize,
    ended: bool,
    bytes: u64,
    bytes_max: u64,
}

pub(crate) fn open<'r, R: Read + 'r>(input: R, bytes_max: u64) -> Result<Source<'r>, Error> {
    let mut input = Underlying { input };
    let mut magic = Vec::with_capacity(6);
    (&mut input).take(6).read_to_end(&mut magic).map_err(|error| Error::from_io(&error, Position::default()))?;
    let encoding = match magic.as_slice() {
        [0x1f, 0x8b, ..] => Encoding::Gzip,
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Encoding::Xz,
        _ => Encoding::Plain,
    };
    let whole = io::Cursor::new(magic).chain(input);
    let inner: Box<dyn Read + 'r> = match encoding {
        Encoding::Plain => Box::new(whole),
        Encoding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(whole)),
        Encoding::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_MAX, liblzma::stream::CONCATENATED)
                .map_err(|error| Error::new(ErrorKind::Compression, Position::default(), error.to_string()))?;
            Box::new(liblzma::read::XzDecoder::new_stream(whole, stream))
        }
    };
    Ok(Source { inner, encoding, ahead: Vec::new(), ahead_taken: 0, ended: false, bytes: 0, bytes_max })
}

impl Source<'_> {
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Decompressed bytes so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes
    }

    /// Up to `count` bytes from the start, fewer only when the file is shorter. To be called before anything is read.
    pub(crate) fn peek(&mut self, count: usize) -> Result<&[u8], Error> {
        while self.ahead.len() < self.ahead_taken + count && !self.ended {
            let mut piece = [0; 4096];
            let got = self
                .pull(&mut piece)
                .map_err(|error| Error::from_io(&error, Position { offset: Some(self.bytes), ..Position::default() }))?;
            self.ahead.extend_from_slice(&piece[..got]);
        }
        let ahead = &self.ahead[self.ahead_taken..];
        Ok(&ahead[..ahead.len().min(count)])
    }

    /// Drops bytes that were peeked at.
    pub(crate) fn skip(&mut self, count: usize) {
        self.ahead_taken = (self.ahead_taken + count).min(self.ahead.len());
    }

    fn pull(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer).map_err(|error| self.explain(error))?;
        self.ended = got == 0 && !buffer.is_empty();
        self.bytes += got as u64;
        if self.bytes > self.bytes_max {
            return Err(Failure::io(ErrorKind::TooLarge, format!("the file unpacks to more than {} bytes", self.bytes_max)));
        }
        Ok(got)
    }

    /// What the decoder complains of is damage; what lies underneath is input and output.
    fn explain(&self, error: io::Error) -> io::Error {
        let known = error.get_ref().is_some_and(|inner| inner.is::<Failure>());
        let name = match self.encoding {
            _ if known => return error,
            Encoding::Plain => return error,
            Encoding::Gzip => "gzip",
            Encoding::Xz => "xz",
        };
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("the {name} stream is cut off"),
            _ => format!("the {name} stream is damaged: {error}"),
        };
        Failure::io(ErrorKind::Compression, reason)
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ahead = &self.ahead[self.ahead_taken..];
        if !ahead.is_empty() {
            let count = ahead.len().min(buffer.len());
            buffer[..count].copy_from_slice(&ahead[..count]);
            self.ahead_taken += count;
            return Ok(count);
        }
        if self.ended {
            return Ok(0);
        }
        self.ahead = Vec::new();
        self.ahead_taken = 0;
        self.pull(buffer)
    }
}

/// Marks the errors of the input itself, so that no decoder's error is taken for one.
struct Underlying<R> {
    input: R,
}

impl<R: Read> Read for Underlying<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::io(ErrorKind::Io, error.to_string())),
                done => return done,
            }
        }
    }
}
