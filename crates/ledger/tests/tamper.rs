//! Whatever is done to an export is found: bits, bytes and lines of it, its history as a whole, its keys. Random chains, random edits.
#![allow(clippy::unwrap_used)]

use ledger::{
    Checkpoint, FindingKind, GENESIS, Hash, Header, LINE_MAX, PublicKey, SigningKey, Trust, Writer, kept_checkpoints, link, verify,
};
use proptest::prelude::*;
use proptest::sample::Index;

const CHAIN: &str = "ten_0199aa0000007000800000000000000a";

/// A history: what the entries say, after which of them a checkpoint was signed, and after which the key was replaced.
#[derive(Debug, Clone)]
struct History {
    bodies: Vec<String>,
    signed_after: Vec<bool>,
    rotated_after: Vec<bool>,
}

fn histories(entries: std::ops::Range<usize>) -> impl Strategy<Value = History> {
    let bodies = prop::collection::vec(prop_oneof![any::<String>(), "[a-z\"\\\\ \n]{0,30}", Just(String::new())], entries);
    bodies.prop_flat_map(|bodies| {
        let flags = || prop::collection::vec(prop::bool::weighted(0.3), bodies.len());
        let rotations = prop::collection::vec(prop::bool::weighted(0.15), bodies.len());
        (Just(bodies.clone()), flags(), rotations).prop_map(|(bodies, signed_after, rotated_after)| History {
            bodies,
            signed_after,
            rotated_after,
        })
    })
}

fn key(installation: u8, n: usize) -> SigningKey {
    SigningKey::from_secret(&blake3_of(installation, n))
}

fn blake3_of(installation: u8, n: usize) -> [u8; 32] {
    link(&[installation; 32], n as u64, b"secret")
}

/// The instant of step `n`; two steps an entry, so that a rotation lies between signatures.
fn at(n: usize) -> String {
    format!("2026-11-21T{:02}:{:02}:{:02}.000000Z", n / 3600, n / 60 % 60, n % 60)
}

fn first_key(installation: u8) -> [u8; 32] {
    key(installation, 0).public_key()
}

/// The export of a history by an installation: the whole file.
fn export(history: &History, installation: u8) -> Vec<u8> {
    let mut signer = key(installation, 0);
    let mut keys: Vec<PublicKey> = vec![signer.as_first()];
    let mut links: Vec<Hash> = Vec::new();
    let mut checkpoints: Vec<Option<Checkpoint>> = Vec::new();
    for (n, body) in history.bodies.iter().enumerate() {
        let hash = link(links.last().unwrap_or(&GENESIS), n as u64 + 1, body.as_bytes());
        links.push(hash);
        checkpoints.push(history.signed_after[n].then(|| Checkpoint::sign(&signer, CHAIN, n as u64 + 1, hash, &at(2 * n))));
        if history.rotated_after[n] {
            let next = key(installation, keys.len());
            keys.push(signer.certify(&next, &at(2 * n + 1)));
            signer = next;
        }
    }
    let end = at(2 * history.bodies.len());
    let mut writer = Writer::new(&Header { chain: CHAIN.into(), name: "Acme".into(), exported_at: end.clone(), keys });
    for ((seq, body), (hash, checkpoint)) in (1..).zip(&history.bodies).zip(links.iter().zip(&checkpoints)) {
        writer.entry(seq, body, *hash);
        checkpoint.iter().for_each(|checkpoint| writer.checkpoint(checkpoint));
    }
    let head = links.last().copied().unwrap_or(GENESIS);
    if let (Some(hash), Some(None)) = (links.last(), checkpoints.last()) {
        writer.checkpoint(&Checkpoint::sign(&signer, CHAIN, links.len() as u64, *hash, &end));
    }
    let mut file = writer.take();
    file.extend(writer.seal(&signer, links.len() as u64, head, &end));
    file
}

fn pinned(installation: u8) -> Trust {
    Trust { keys: vec![first_key(installation)], kept: Vec::new() }
}

fn check(file: &[u8], trust: &Trust) -> Result<ledger::Report, ledger::Finding> {
    verify(file, trust)
}

fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    file.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// The number of the entry whose line this is.
fn entry_of(line: &[u8]) -> Option<u64> {
    line.starts_with(b"{\"type\":\"entry\"")
        .then(|| serde_json::from_slice::<serde_json::Value>(line).unwrap()["seq"].as_u64().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_untouched_export_is_good_with_only_the_first_key_trusted(history in histories(0..12)) {
        let file = export(&history, 1);
        let report = check(&file, &pinned(1)).unwrap();
        prop_assert_eq!(report.entries, history.bodies.len() as u64);
        prop_assert!(report.pinned);
        prop_assert!(!check(&file, &Trust::default()).unwrap().pinned);
        if !history.bodies.is_empty() {
            let kept = kept_checkpoints(std::str::from_utf8(&file).unwrap()).unwrap();
            prop_assert_eq!(kept.last().unwrap().seq, report.entries, "the last checkpoint is the head");
            prop_assert_eq!(check(&file, &Trust { kept: kept.clone(), ..pinned(1) }).unwrap().kept, kept.len());
        }
    }

    #[test]
    fn any_bit_that_is_flipped_is_found_and_a_bad_entry_is_named(
        history in histories(1..8), flips in prop::collection::vec((any::<Index>(), 0..8_u8), 64),
    ) {
        let good = export(&history, 1);
        for (place, bit) in flips {
            let place = place.index(good.len());
            let mut bad = good.clone();
            bad[place] ^= 1 << bit;
            let finding = check(&bad, &Trust::default()).unwrap_err();
            let line = good[..place].iter().filter(|byte| **byte == b'\n').count();
            if let Some(seq) = entry_of(&lines(&good)[line]) {
                prop_assert_eq!(finding.seq, Some(seq), "byte {} bit {}: {}", place, bit, finding.message);
                prop_assert_eq!(finding.line, line as u64 + 1);
            }
        }
    }

    #[test]
    fn a_file_that_ends_early_is_found(history in histories(0..8), cut in any::<Index>()) {
        let good = export(&history, 1);
        let cut = cut.index(good.len());
        let finding = check(&good[..cut], &pinned(1)).unwrap_err();
        let whole_entries = lines(&good[..cut]).iter().filter(|line| line.ends_with(b"\n")).filter_map(|line| entry_of(line)).count();
        if matches!(finding.kind, FindingKind::Truncated) {
            prop_assert_eq!(finding.seq, Some(whole_entries as u64 + 1));
        } else {
            prop_assert_eq!(finding.kind, FindingKind::Unreadable, "cut in its heading");
        }
    }

    #[test]
    fn lines_that_are_dropped_doubled_or_moved_are_found(history in histories(2..10), place in any::<Index>(), edit in 0..3_u8) {
        let good = lines(&export(&history, 1));
        let place = place.index(good.len());
        let mut bad = good.clone();
        match edit {
            0 => drop(bad.remove(place)),
            1 => bad.insert(place, good[place].clone()),
            _ => bad.swap(place, (place + 1) % good.len()),
        }
        if bad == good {
            return Ok(());
        }
        let finding = check(&bad.concat(), &pinned(1)).unwrap_err();
        let next_entry = good[place + 1..].iter().find_map(|line| entry_of(line));
        match (edit, entry_of(&good[place])) {
            // The last entry that is dropped is missed by the checkpoint or the seal after it.
            (0, Some(seq)) => prop_assert_eq!(finding.seq, Some(seq)),
            (1, Some(seq)) => prop_assert_eq!(finding.seq, Some(seq + 1)),
            (2, Some(seq)) if next_entry == Some(seq + 1) && entry_of(&good[place + 1]).is_some() => {
                prop_assert_eq!(finding.seq, Some(seq));
            }
            _ => {}
        }
    }

    #[test]
    fn an_entry_rewritten_with_all_links_after_it_does_not_fit_what_was_signed(history in histories(1..10), place in any::<Index>()) {
        let place = place.index(history.bodies.len());
        let mut forged = history.clone();
        forged.bodies[place].push('!');
        let mut bad = Vec::new();
        // The forger keeps every signature of the true file, and links the false entries properly.
        let mut entries = lines(&export(&forged, 1)).into_iter().filter(|line| entry_of(line).is_some());
        for line in lines(&export(&history, 1)) {
            bad.extend(if entry_of(&line).is_some() { entries.next().unwrap() } else { line });
        }
        let finding = check(&bad, &Trust::default()).unwrap_err();
        prop_assert!(finding.seq.is_some_and(|seq| seq > place as u64), "{}", finding.message);
    }

    #[test]
    fn a_history_rewritten_by_the_installation_itself_misses_a_kept_checkpoint(history in histories(2..12), place in any::<Index>()) {
        let place = place.index(history.bodies.len());
        let kept = kept_checkpoints(std::str::from_utf8(&export(&history, 1)).unwrap()).unwrap();
        let mut rewritten = history.clone();
        rewritten.bodies[place] = format!("nothing happened {}", rewritten.bodies[place]);
        let file = export(&rewritten, 1);
        prop_assert!(check(&file, &pinned(1)).is_ok(), "signed anew by the true key, it is good by itself");
        let finding = check(&file, &Trust { kept: kept.clone(), ..pinned(1) }).unwrap_err();
        prop_assert_eq!(finding.kind, FindingKind::Rewritten);
        let first = kept.iter().find(|checkpoint| checkpoint.seq > place as u64).unwrap();
        prop_assert_eq!(finding.seq, Some(first.seq));
    }

    #[test]
    fn an_older_state_misses_a_kept_checkpoint(history in histories(2..12), back_to in any::<Index>(), more in any::<bool>()) {
        let back_to = back_to.index(history.bodies.len());
        let kept = kept_checkpoints(std::str::from_utf8(&export(&history, 1)).unwrap()).unwrap();
        let mut older = history.clone();
        older.bodies.truncate(back_to);
        if more {
            // Life went on from the older state.
            older.bodies.extend(history.bodies[back_to..].iter().map(|body| format!("later {body}")));
        }
        let file = export(&older, 1);
        prop_assert!(check(&file, &pinned(1)).is_ok());
        let newest = Trust { kept: kept[kept.len() - 1..].to_vec(), ..pinned(1) };
        let finding = check(&file, &newest).unwrap_err();
        // Where the key that signed the checkpoint was put away too, the checkpoint fits none of the keys.
        prop_assert!(matches!(finding.kind, FindingKind::Rewritten | FindingKind::Key), "{}", finding.message);
        if !history.rotated_after.contains(&true) {
            prop_assert_eq!(finding.kind, FindingKind::Rewritten);
        }
    }

    #[test]
    fn a_file_signed_by_somebody_else_is_refused(history in histories(1..8)) {
        let forged = export(&history, 2);
        prop_assert!(!check(&forged, &Trust::default()).unwrap().pinned, "without a trusted key the report says so");
        prop_assert_eq!(check(&forged, &pinned(1)).unwrap_err().kind, FindingKind::Key);
        let kept = kept_checkpoints(std::str::from_utf8(&export(&history, 1)).unwrap()).unwrap();
        prop_assert_eq!(check(&forged, &Trust { keys: Vec::new(), kept }).unwrap_err().kind, FindingKind::Key);
    }
}

fn plain(bodies: &[&str]) -> History {
    let bodies: Vec<String> = bodies.iter().map(|body| (*body).to_owned()).collect();
    History { signed_after: vec![false; bodies.len()], rotated_after: vec![false; bodies.len()], bodies }
}

#[test]
fn every_bit_of_a_small_export_counts() {
    let mut history = plain(&["{\"a\":1}", "{\"ü\":\"\\n\"}"]);
    history.signed_after[0] = true;
    history.rotated_after[0] = true;
    let good = export(&history, 1);
    for place in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[place] ^= 1 << bit;
            let finding = check(&bad, &Trust::default()).expect_err("a flipped bit is found");
            let line = good[..place].iter().filter(|byte| **byte == b'\n').count();
            if let Some(seq) = entry_of(&lines(&good)[line]) {
                assert_eq!(finding.seq, Some(seq), "byte {place} bit {bit}: {finding:?}");
            }
        }
    }
}

#[test]
fn an_entry_shown_in_part_is_counted_and_cannot_be_passed_off() {
    let history = plain(&["one", "two", "three"]);
    let file = lines(&export(&history, 1));
    // Somebody shows entry 2 in other words in a file that was sealed with the whole entry.
    let hash = serde_json::from_slice::<serde_json::Value>(&file[2]).unwrap()["hash"].clone();
    let mut bad = file.clone();
    bad[2] = format!("{{\"type\":\"withheld\",\"seq\":2,\"shown\":\"something else\",\"hash\":{hash}}}\n").into_bytes();
    assert_eq!(check(&bad.concat(), &pinned(1)).unwrap_err().kind, FindingKind::Seal);

    let signer = key(1, 0);
    let header = Header { chain: CHAIN.into(), name: "Acme".into(), exported_at: at(0), keys: vec![signer.as_first()] };
    let mut writer = Writer::new(&header);
    let one = link(&GENESIS, 1, b"one");
    let two = link(&one, 2, b"two");
    writer.entry(1, "one", one);
    writer.withheld(2, "t..", two);
    let mut sealed = writer.take();
    sealed.extend(writer.seal(&signer, 2, two, &at(1)));
    let report = check(&sealed, &pinned(1)).unwrap();
    assert_eq!((report.entries, report.withheld), (2, 1));
}

#[test]
fn a_line_without_end_is_not_read_into_memory() {
    let good = export(&plain(&["one", "two"]), 1);
    let cut = lines(&good)[..2].concat();
    let endless = std::io::BufReader::new(std::io::Read::chain(&cut[..], std::io::repeat(b'x')));
    let finding = verify(endless, &pinned(1)).unwrap_err();
    assert_eq!((finding.kind, finding.seq), (FindingKind::Truncated, Some(2)));
    assert!(finding.message.contains(&LINE_MAX.to_string()), "{}", finding.message);
}

#[test]
fn what_comes_after_the_seal_is_found() {
    let mut file = export(&plain(&["one"]), 1);
    file.push(b'\n');
    assert_eq!(check(&file, &pinned(1)).unwrap_err().kind, FindingKind::Seal);
}

#[test]
fn a_kept_checkpoint_of_another_ledger_or_one_that_was_changed_is_said() {
    let file = export(&plain(&["one"]), 1);
    let signer = key(1, 0);
    let other = Checkpoint::sign(&signer, "prv_1", 1, [0; 32], &at(1));
    let finding = check(&file, &Trust { kept: vec![other], ..pinned(1) }).unwrap_err();
    assert!(finding.message.contains("prv_1"), "{}", finding.message);
    let mut changed = kept_checkpoints(std::str::from_utf8(&file).unwrap()).unwrap();
    changed[0].hash[0] ^= 1;
    assert_eq!(check(&file, &Trust { kept: changed, ..pinned(1) }).unwrap_err().kind, FindingKind::Key);
}

#[test]
fn a_file_without_checkpoints_is_not_taken_for_kept_ones() {
    let empty = String::from_utf8(export(&plain(&[]), 1)).unwrap();
    for text in ["", "{\"items\":[]}", "hello", "{}", &empty] {
        assert!(kept_checkpoints(text).is_err(), "{text}");
    }
}

#[test]
fn no_file_at_all_is_no_export() {
    for text in ["", "hello\n", "{}\n", "{\"type\":\"header\"}\n"] {
        assert_eq!(check(text.as_bytes(), &Trust::default()).unwrap_err().kind, FindingKind::Unreadable, "{text:?}");
    }
}
