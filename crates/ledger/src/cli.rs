//! What `tenantry-ledger` and `tenantry ledger` say: the same words from both.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{Certificate, FindingKind, PublicKey, Report, Trust, hex, kept_checkpoints, verify};

/// Everything is as it should be.
pub const GOOD: u8 = 0;
/// Something is not: the output says what.
pub const BAD: u8 = 1;
/// It could not be checked: a file is missing or not of the kind, or the command is wrong.
pub const UNCHECKED: u8 = 2;

/// Exports to check, and what the reader knows from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Verify {
    /// Exports.
    pub files: Vec<PathBuf>,
    /// Public keys that are trusted: 64 hexadecimal digits, or a file with some (or with the hub's list of keys).
    pub keys: Vec<String>,
    /// Files with checkpoints that were kept.
    pub checkpoints: Vec<PathBuf>,
    /// Say it as JSON, one object a file.
    pub json: bool,
}

/// A certificate of destruction to check.
#[derive(Debug, Clone, Default)]
pub struct CheckCertificate {
    /// The certificate.
    pub file: PathBuf,
    /// As of [`Verify`].
    pub keys: Vec<String>,
    /// Say it as JSON.
    pub json: bool,
}

/// Checks each export and says how it stands. Answers the exit code: the worst of all files.
///
/// # Errors
/// The output cannot be written.
pub fn run_verify(what: &Verify, out: &mut impl Write) -> std::io::Result<u8> {
    let trust = match trust_of(what) {
        Ok(trust) => trust,
        Err(problem) => return refuse(&problem, what.json, out),
    };
    let mut worst = GOOD;
    for file in &what.files {
        let name = file.display().to_string();
        let reader = match File::open(file) {
            Ok(open) => BufReader::with_capacity(1 << 16, open),
            Err(error) => {
                worst = worst.max(refuse(&format!("{name}: {error}"), what.json, out)?);
                continue;
            }
        };
        match verify(reader, &trust) {
            Ok(report) if what.json => writeln!(out, "{}", json!({ "ok": true, "file": name, "report": report }))?,
            Ok(report) => write!(out, "{}", words(&name, &report))?,
            Err(finding) => {
                worst = worst.max(if finding.kind == FindingKind::Unreadable { UNCHECKED } else { BAD });
                if what.json {
                    writeln!(out, "{}", json!({ "ok": false, "file": name, "finding": finding }))?;
                } else {
                    let entry = finding.seq.map(|seq| format!("; first bad entry: {seq}")).unwrap_or_default();
                    writeln!(out, "BAD   {name}\n      {}\n      (line {}{entry})", finding.message, finding.line)?;
                }
            }
        }
    }
    Ok(worst)
}

/// Checks a certificate of destruction and says what it says. Answers the exit code.
///
/// # Errors
/// The output cannot be written.
pub fn run_certificate(what: &CheckCertificate, out: &mut impl Write) -> std::io::Result<u8> {
    let name = what.file.display().to_string();
    let keys = match what.keys.iter().map(|key| keys_of(key)).collect::<Result<Vec<_>, _>>() {
        Ok(keys) => keys.concat(),
        Err(problem) => return refuse(&problem, what.json, out),
    };
    let text = match std::fs::read_to_string(&what.file) {
        Ok(text) => text,
        Err(error) => return refuse(&format!("{name}: {error}"), what.json, out),
    };
    let certificate: Certificate = match serde_json::from_str(&text) {
        Ok(certificate) => certificate,
        Err(error) => return refuse(&format!("{name} is no certificate of destruction, or was changed: {error}"), what.json, out),
    };
    match certificate.check(&keys) {
        Err(problem) if what.json => writeln!(out, "{}", json!({ "ok": false, "file": name, "finding": problem.to_string() }))?,
        Err(problem) => writeln!(out, "BAD   {name}\n      The certificate is not to be believed: {problem}.")?,
        Ok(()) if what.json => {
            let statement = &certificate.statement;
            writeln!(out, "{}", json!({ "ok": true, "file": name, "pinned": !keys.is_empty(), "statement": statement }))?;
            return Ok(GOOD);
        }
        Ok(()) => {
            write!(out, "{}", words_of_certificate(&name, &certificate, !keys.is_empty()))?;
            return Ok(GOOD);
        }
    }
    Ok(BAD)
}

fn refuse(problem: &str, as_json: bool, out: &mut impl Write) -> std::io::Result<u8> {
    if as_json {
        writeln!(out, "{}", json!({ "ok": false, "error": problem }))?;
    } else {
        writeln!(out, "CANNOT CHECK   {problem}")?;
    }
    Ok(UNCHECKED)
}

fn trust_of(what: &Verify) -> Result<Trust, String> {
    let mut trust = Trust::default();
    for key in &what.keys {
        trust.keys.extend(keys_of(key)?);
    }
    for file in &what.checkpoints {
        let name = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
        trust.kept.extend(kept_checkpoints(&text).map_err(|problem| format!("{name}: {problem}"))?);
    }
    Ok(trust)
}

/// The public keys that an argument names: digits, or a file with digits a line, one key as JSON, or the hub's list of keys.
fn keys_of(argument: &str) -> Result<Vec<[u8; 32]>, String> {
    if let Some(key) = hex::decode(&argument.to_ascii_lowercase()) {
        return Ok(vec![key]);
    }
    let text = std::fs::read_to_string(Path::new(argument))
        .map_err(|error| format!("--key {argument}: neither 64 hexadecimal digits nor a file that can be read ({error})"))?;
    let wrong = || format!("--key {argument}: the file holds no public key");
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        let items = value.get("items").and_then(Value::as_array).cloned().unwrap_or_else(|| vec![value]);
        let keys = items.into_iter().map(|item| serde_json::from_value::<PublicKey>(item).map(|key| key.public_key));
        return keys.collect::<Result<Vec<_>, _>>().map_err(|_| wrong()).and_then(|keys| some(keys).ok_or_else(wrong));
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Option<Vec<_>> = lines.map(|line| hex::decode(&line.to_ascii_lowercase())).collect();
    keys.and_then(some).ok_or_else(wrong)
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

fn words(file: &str, report: &Report) -> String {
    let Report { name, chain, entries, sealed_at, key_id, .. } = report;
    let mut text = format!("GOOD  {file}\n      Ledger of {name} ({chain}): {entries} entries");
    if *entries > 0 {
        let _ = write!(text, ", the last with hash {}", hex::encode(&report.head));
    }
    let _ = write!(
        text,
        ".\n      Sealed {sealed_at} by the key {key_id}; {} signed checkpoints on the way hold.\n",
        report.checkpoints
    );
    if report.kept > 0 {
        let _ =
            writeln!(text, "      It runs through the {} checkpoint(s) you kept: nothing before them was rewritten.", report.kept);
    }
    if report.withheld > 0 {
        let _ = writeln!(
            text,
            "      {} entries are shown without the names of the provider's staff; for their text the hub vouches, not their hash.",
            report.withheld
        );
    }
    text.push_str(trust_in_words(report.pinned));
    text
}

fn trust_in_words(pinned: bool) -> &'static str {
    if pinned {
        "      The signatures are by keys reached from one that you trust.\n"
    } else {
        "      NOTE: no trusted key was given (--key): the signatures were checked only against the keys in the file itself, which\n      \
         whoever made the file could have made too.\n"
    }
}

fn words_of_certificate(file: &str, certificate: &Certificate, pinned: bool) -> String {
    let s = &certificate.statement;
    let mut text = format!(
        "GOOD  {file}\n      {} ({}, {}) was destroyed by {} of {}.\n      Purged {}, complete {}; data key destroyed: {}.\n",
        s.name,
        s.slug,
        s.tenant,
        s.by.name,
        s.provider.name,
        s.purged_at,
        s.completed_at,
        if s.data_key_destroyed { "yes" } else { "no" },
    );
    if let Some(second) = &s.second {
        let _ = writeln!(text, "      Confirmed by {}.", second.name);
    }
    if let Some(head) = &s.ledger {
        let _ = writeln!(text, "      Its ledger ended at entry {} with hash {}.", head.seq, hex::encode(&head.hash));
    }
    let _ = writeln!(text, "      {}\n      Signed by the key {}.", s.backups, certificate.key_id);
    text.push_str(trust_in_words(pinned));
    text
}
