//! A bucket of an S3-compatible store. Large objects are uploaded in parts as they are made, so none is ever held whole.

use std::io::{Read, Write};
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use kernel::{CanFail, Error, Result};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio::runtime::Handle;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::{Place, Sink};

/// Bytes of a part; S3 wants 5 MiB at least.
const PART_BYTES: usize = 8 << 20;

/// How to reach S3-compatible stores. What is left out comes from the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
/// `AWS_REGION`, `AWS_ENDPOINT`, …) or, on AWS, from the machine's role.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3Settings {
    /// Address of the store, `https://minio.example:9000`; left out: AWS.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Key id.
    pub access_key_id: Option<String>,
    /// Secret key. Better in the environment.
    pub secret_access_key: Option<String>,
}

pub(super) struct Bucket {
    store: Arc<AmazonS3>,
    prefix: Path,
    url: String,
    runtime: Handle,
}

fn failed(error: &object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::NotFound,
        other => Error::Unavailable(format!("The S3 store does not do what it is asked: {other}.")),
    }
}

impl Bucket {
    pub fn new(url: &str, rest: &str, settings: &S3Settings) -> Result<Self> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(Error::field("to", "unknown", "names no bucket: s3://bucket/prefix"));
        }
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        if let Some(region) = &settings.region {
            builder = builder.with_region(region);
        }
        if let Some(id) = &settings.access_key_id {
            builder = builder.with_access_key_id(id);
        }
        if let Some(secret) = &settings.secret_access_key {
            builder = builder.with_secret_access_key(secret);
        }
        let store = builder.build().map_err(|error| failed(&error))?;
        let runtime = Handle::try_current().map_err(kernel::Error::internal)?;
        Ok(Self { store: Arc::new(store), prefix: Path::from(prefix), url: url.trim_end_matches('/').to_owned(), runtime })
    }
}

impl Place for Bucket {
    fn url(&self) -> &str {
        &self.url
    }

    fn create(&self, name: &str) -> Result<Box<dyn Sink>> {
        let path = self.prefix.clone().join(name);
        let out = BufWriter::with_capacity(self.store.clone(), path, PART_BYTES);
        Ok(Box::new(Upload { out: Some(out), runtime: self.runtime.clone() }))
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read + Send>> {
        let got = self.runtime.block_on(self.store.get(&self.prefix.clone().join(name))).map_err(|error| failed(&error))?;
        let stream = StreamReader::new(got.into_stream().map_err(std::io::Error::from));
        Ok(Box::new(std::io::BufReader::with_capacity(1 << 20, SyncIoBridge::new_with_handle(stream, self.runtime.clone()))))
    }

    fn list(&self) -> Result<Vec<String>> {
        let prefix = (!self.prefix.as_ref().is_empty()).then_some(&self.prefix);
        let listed = self.runtime.block_on(self.store.list_with_delimiter(prefix)).map_err(|error| failed(&error))?;
        Ok(listed.objects.iter().filter_map(|object| object.location.filename().map(str::to_owned)).collect())
    }

    fn delete(&self, name: &str) -> Result<()> {
        match self.runtime.block_on(self.store.delete(&self.prefix.clone().join(name))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }
}

struct Upload {
    /// Present until it is finished.
    out: Option<BufWriter>,
    runtime: Handle,
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let Some(out) = &mut self.out else { return Ok(0) };
        self.runtime.block_on(out.write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink for Upload {
    fn finish(mut self: Box<Self>) -> Result<()> {
        let Some(mut out) = self.out.take() else { return Ok(()) };
        self.runtime.block_on(out.shutdown()).map_err(|error| crate::format::unreachable_io(&error))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(mut out) = self.out.take() else { return };
        // May run on any thread: the store forgets the parts by a task of its own.
        self.runtime.spawn(async move { out.abort().await.can_fail("parts of an unfinished upload expire by the bucket's rule") });
    }
}
