//! The readers, through the front door.
#![allow(clippy::unwrap_used)]

mod broken;
mod real;
mod round_trip;
mod shapes;

use std::io::{Read, Write};

use formats::{Collected, Error, Format, Report};

const OCSF: &str = include_str!("../fixtures/ocsf.json");
const OCSF_LINES: &str = include_str!("../fixtures/ocsf.jsonl");
const SARIF: &str = include_str!("../fixtures/log.sarif");
const XCCDF: &str = include_str!("../fixtures/result.xml");
const ARF: &str = include_str!("../fixtures/arf.xml");
const ALL: [&str; 5] = [OCSF, OCSF_LINES, SARIF, XCCDF, ARF];

fn read_as(format: Option<Format>, input: impl Read) -> Result<(Report, Collected), Error> {
    let mut collected = Collected::default();
    let report = formats::read(input, format, &mut collected)?;
    let by_result = report.passed + report.failed + report.manual + report.not_applicable + report.errors;
    assert_eq!(report.findings, by_result);
    assert_eq!(report.findings, collected.findings.len() as u64);
    Ok((report, collected))
}

fn read(input: impl AsRef<[u8]>) -> Result<(Report, Collected), Error> {
    read_as(None, input.as_ref())
}

fn refused(input: impl AsRef<[u8]>) -> Error {
    read(input).unwrap_err()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
