//! Ninety days of scan files for one client, as its scanners would have written them.
//!
//! A control is failing or not; how many fail follows the profile's score, which goes from one end of the history to the other with
//! some noise and one bad week. Each scan some controls are put right and others break, preferably those that broke before; inside
//! a failing control single resources come and go. So every life of a finding occurs: new, recurring, fixed, returned.
//!
//! The same profile and the same instant give the same bytes. Every file is written by [`formats::write`].

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use formats::write::{self, Scan};
use formats::{Finding, Format, Outcome, Severity};
use kernel::Timestamp;
use kernel::clock::DAY_US;
use serde_json::json;

use super::catalogue::{Area, Check, checks};
use super::estate::{Thing, things};
use super::random::Random;

/// How long the history is.
const HISTORY_DAYS: i64 = 90;
/// Days between two scans of the clouds.
const CLOUD_EVERY: i64 = 13 * DAY_US / 2;
/// Days between two scans of hosts or of the repository.
const OTHER_EVERY: i64 = 20 * DAY_US;
const HOUR_US: i64 = DAY_US / 24;
/// Whoever scores less takes no more care of what is critical than of the rest.
const CARELESS_BELOW: i64 = 68;

/// What a client of the demo is like.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The client's slug: seeds all chance, and is part of most names.
    pub slug: &'static str,
    /// The clouds it uses: [`Area::Aws`], [`Area::Azure`], [`Area::M365`].
    pub clouds: &'static [Area],
    /// Linux hosts that are scanned; 0: no host scans.
    pub hosts: usize,
    /// Whether there is a repository that is scanned.
    pub repository: bool,
    /// 1 small, 2 medium, 3 large.
    pub size: usize,
    /// The score at the beginning and at the end, in percent.
    pub score: (u8, u8),
    /// Most scans of each sort; 0: never scanned.
    pub scans_max: usize,
    /// Hours since the last scan.
    pub last_scan_hours: u32,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// When the scan was made.
    pub observed_at: Timestamp,
}

/// Writes a client's whole history below `dir` and says what was written, oldest first.
///
/// # Errors
/// A file cannot be written.
pub fn write_history(profile: &Profile, now: Timestamp, dir: &Path) -> io::Result<Vec<ScanFile>> {
    let mut files = Vec::new();
    for stream in streams(profile) {
        let last = Timestamp(now.0 - i64::from(profile.last_scan_hours) * HOUR_US - stream.earlier_us);
        let times = times(&stream, last, Timestamp(now.0 - HISTORY_DAYS * DAY_US), profile.scans_max);
        for (scan, at) in scans(profile, &stream, &times).iter().zip(&times) {
            files.push(write_file(profile, &stream, scan, *at, dir)?);
        }
    }
    files.sort_by(|one, other| (one.observed_at, &one.path).cmp(&(other.observed_at, &other.path)));
    Ok(files)
}

/// One scanner that comes again and again.
struct Stream {
    what: &'static str,
    tool: &'static str,
    version: &'static str,
    areas: Vec<Area>,
    format: Format,
    every_us: i64,
    /// How long before the client's last scan its own last one is.
    earlier_us: i64,
    target: Option<String>,
}

fn streams(profile: &Profile) -> Vec<Stream> {
    let cloud = Stream {
        what: "cloud",
        tool: "Skylark Cloud",
        version: "4.2.1",
        areas: profile.clouds.to_vec(),
        format: Format::Ocsf,
        every_us: CLOUD_EVERY,
        earlier_us: 0,
        target: None,
    };
    let hosts = Stream {
        what: "hosts",
        tool: "Skylark Host",
        version: "2.9.0",
        areas: vec![Area::Linux],
        format: Format::Xccdf,
        every_us: OTHER_EVERY,
        earlier_us: 3 * DAY_US + 5 * HOUR_US,
        target: None,
    };
    let code = Stream {
        what: "code",
        tool: "Skylark Code",
        version: "1.14.3",
        areas: vec![Area::Code],
        format: Format::Sarif,
        every_us: OTHER_EVERY,
        earlier_us: 2 * DAY_US + 9 * HOUR_US,
        target: Some(format!("https://git.{}.example/platform/infrastructure", profile.slug)),
    };
    let wanted = [(cloud, !profile.clouds.is_empty()), (hosts, profile.hosts > 0), (code, profile.repository)];
    wanted.into_iter().filter_map(|(stream, is_wanted)| is_wanted.then_some(stream)).collect()
}

/// The instants of a stream, oldest first, whole milliseconds.
fn times(stream: &Stream, last: Timestamp, first: Timestamp, scans_max: usize) -> Vec<Timestamp> {
    let mut times = Vec::new();
    let mut at = last.0 - last.0.rem_euclid(1_000);
    while at >= first.0 && times.len() < scans_max {
        times.push(Timestamp(at));
        at -= stream.every_us;
    }
    times.reverse();
    times
}

fn scans(profile: &Profile, stream: &Stream, times: &[Timestamp]) -> Vec<Scan> {
    let mut random = Random::of(&format!("{}/{}/life", profile.slug, stream.what));
    let mut lives = Vec::new();
    for area in &stream.areas {
        let things = things(profile, *area, times.len());
        for check in checks(*area) {
            let things: Vec<_> = things.iter().filter(|thing| thing.kind == check.kind).cloned().collect();
            lives.push(Life::new(check, *area, things));
        }
    }
    let scores = scores(profile, times.len(), &mut random);
    let mut scans = Vec::new();
    for (number, (at, score)) in times.iter().zip(scores).enumerate() {
        step(&mut lives, score, number, &mut random);
        scans.push(Scan {
            tool: stream.tool.into(),
            tool_version: Some(stream.version.into()),
            target: stream.target.clone(),
            observed_at: Some(at.0),
            profile: (stream.format == Format::Xccdf).then(|| "xccdf_skylark_profile_server".into()),
            controls: lives.iter().map(|life| life.check.control(life.area)).collect(),
            findings: lives.iter().flat_map(|life| life.findings(stream.format, number, *at)).collect(),
        });
    }
    scans
}

/// The score of each scan in percent: from here to there, a little noise, one bad week.
fn scores(profile: &Profile, count: usize, random: &mut Random) -> Vec<i64> {
    let (from, to) = (i64::from(profile.score.0), i64::from(profile.score.1));
    let bad = 1 + random.below(count.saturating_sub(2).max(1));
    let last = i64::try_from(count).unwrap_or(1).max(2) - 1;
    let mut score = |number: usize| {
        let noise = i64::try_from(random.below(5)).unwrap_or(0) - 2;
        let dip = if number == bad && count > 4 { 6 } else { 0 };
        let share = i64::try_from(number).unwrap_or(0);
        let noise = if number + 1 == count { 0 } else { noise - dip };
        (from + (to - from) * share / last + noise).clamp(5, 100)
    };
    (0..count).map(&mut score).collect()
}

/// A control over time.
struct Life {
    check: &'static Check,
    area: Area,
    things: Vec<Thing>,
    is_failing: bool,
    failed_before: bool,
    /// Which of the things are at fault.
    faults: Vec<bool>,
    /// A thing that the tool could not look at this time.
    blind: Option<usize>,
}

impl Life {
    fn new(check: &'static Check, area: Area, things: Vec<Thing>) -> Self {
        let faults = vec![false; things.len()];
        Self { check, area, things, is_failing: false, failed_before: false, faults, blind: None }
    }

    fn is_judged(&self) -> bool {
        !self.check.manual && !self.things.is_empty()
    }

    /// How easily it breaks. The worse a fault, the more care is taken that it does not occur, where any is taken.
    fn weakness(&self, score: i64) -> usize {
        let is_careless = score < CARELESS_BELOW;
        let weakness = match self.check.severity {
            Severity::Critical if is_careless => 7,
            Severity::High if is_careless => 6,
            Severity::Critical => 2,
            Severity::High => 4,
            Severity::Medium => 6,
            Severity::Low | Severity::Informational | Severity::Unknown => 7,
        };
        if self.failed_before { weakness * 3 } else { weakness }
    }

    /// How soon it is put right.
    fn haste(&self) -> usize {
        match self.check.severity {
            Severity::Critical | Severity::High => 4,
            _ => 3,
        }
    }

    fn breaks(&mut self, number: usize, random: &mut Random) {
        self.is_failing = true;
        self.failed_before = true;
        let there = self.there(number);
        for _ in 0..1 + random.below(there.len().div_ceil(3)) {
            if let Some(at) = there.get(random.below(there.len())) {
                self.faults[*at] = true;
            }
        }
    }

    fn is_put_right(&mut self) {
        self.is_failing = false;
        self.faults.fill(false);
    }

    fn there(&self, number: usize) -> Vec<usize> {
        (0..self.things.len()).filter(|at| self.things[*at].there.contains(&number)).collect()
    }

    /// Single things come and go while the control as a whole goes on failing.
    fn stirs(&mut self, number: usize, random: &mut Random) {
        let there = self.there(number);
        self.blind = None;
        if !self.is_failing {
            let unlucky = there.len() > 3 && random.chance(2);
            self.blind = unlucky.then(|| there[random.below(there.len())]);
            return;
        }
        for at in &there {
            let flips = if self.faults[*at] { random.chance(10) } else { random.chance(4) };
            self.faults[*at] ^= flips;
        }
        if !there.iter().any(|at| self.faults[*at]) {
            // The first thing of a family is always there.
            self.faults[there[random.below(there.len())]] = true;
        }
    }

    fn findings(&self, format: Format, number: usize, at: Timestamp) -> Vec<Finding> {
        self.there(number).into_iter().map(|thing| self.finding(format, thing, at)).collect()
    }

    fn finding(&self, format: Format, index: usize, at: Timestamp) -> Finding {
        let (check, thing) = (self.check, &self.things[index]);
        let result = match (check.manual, self.blind == Some(index), self.faults[index]) {
            (true, ..) => Outcome::Manual,
            (_, true, _) => Outcome::Error,
            (.., true) => Outcome::Fail,
            (.., false) => Outcome::Pass,
        };
        let message = match result {
            Outcome::Error => format!("{} could not be read: the request was throttled.", thing.name),
            result => check.message(result == Outcome::Pass, &thing.name),
        };
        let seen = Random::of(&format!("{}/{}", check.uid, thing.resource.uid)).next();
        let file = thing.resource.uid.split('#').next().unwrap_or_default();
        let is_code = format == Format::Sarif;
        let evidence = match format {
            Format::Ocsf => {
                let tags: serde_json::Map<_, _> = thing.tags.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
                json!({ "resource_data": { "name": thing.name, "tags": tags, "result": result.as_str() } })
            }
            Format::Xccdf => {
                json!({ "check": { "href": "skylark-host.oval.xml", "name": format!("oval:skylark:def:{}", seen % 9_000) } })
            }
            Format::Sarif if result == Outcome::Fail => json!({ "snippet": check.snippet }),
            Format::Sarif => json!({}),
        };
        Finding {
            control_uid: check.uid.clone(),
            title: check.title.clone(),
            severity: check.severity,
            result,
            resource: thing.resource.clone(),
            message: Some(message),
            location: is_code.then(|| format!("{file}:{}", 3 + seen % 90)),
            observed_at: Some(at.0),
            fingerprint: is_code.then(|| format!("{seen:016x}")),
            evidence,
        }
    }
}

/// One scan later: as many controls fail as the score says, not all of them the same.
fn step(lives: &mut [Life], score: i64, number: usize, random: &mut Random) {
    let judged = lives.iter().filter(|life| life.is_judged()).count();
    let wanted = (i64::try_from(judged).unwrap_or(0) * (100 - score) + 50) / 100;
    let wanted = usize::try_from(wanted).unwrap_or(0);
    let churn = if number == 0 { 0 } else { 1 + random.below(2) };
    let failing = |lives: &[Life]| lives.iter().filter(|life| life.is_failing).count();
    for _ in 0..failing(lives).saturating_sub(wanted) + churn {
        // The worse a fault, the sooner it is put right.
        let weights: Vec<usize> = lives.iter().map(|life| if life.is_failing { life.haste() } else { 0 }).collect();
        if let Some(at) = random.weighted(&weights) {
            lives[at].is_put_right();
        }
    }
    while failing(lives) < wanted {
        let breakable = |life: &Life| life.is_judged() && !life.is_failing;
        let weights: Vec<usize> = lives.iter().map(|life| if breakable(life) { life.weakness(score) } else { 0 }).collect();
        let Some(at) = random.weighted(&weights) else { break };
        lives[at].breaks(number, random);
    }
    for life in lives.iter_mut().filter(|life| life.is_judged()) {
        life.stirs(number, random);
    }
}

fn write_file(profile: &Profile, stream: &Stream, scan: &Scan, at: Timestamp, dir: &Path) -> io::Result<ScanFile> {
    let day = at.to_string();
    let day = day.split('T').next().unwrap_or_default();
    // Tools and pipelines differ in how they save a scan; so do the demo's.
    let mut random = Random::of(&format!("{}/{day}", profile.slug));
    let (is_lines, is_packed) = (random.chance(30), random.chance(30));
    let ending = match (stream.format, is_lines, is_packed) {
        (Format::Ocsf, false, false) => "json",
        (Format::Ocsf, false, true) => "json.gz",
        (Format::Ocsf, true, false) => "jsonl",
        (Format::Ocsf, true, true) => "jsonl.gz",
        (Format::Xccdf, ..) => "xml",
        (Format::Sarif, ..) => "sarif",
    };
    let path = dir.join(format!("{}-{}-{day}.{ending}", profile.slug, stream.what));
    let file = BufWriter::new(std::fs::File::create(&path)?);
    if ending.ends_with(".gz") {
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        write_scan(&mut packed, stream.format, is_lines, scan)?;
        packed.finish()?.flush()?;
    } else {
        let mut file = file;
        write_scan(&mut file, stream.format, is_lines, scan)?;
        file.flush()?;
    }
    Ok(ScanFile { path, format: stream.format, observed_at: at })
}

fn write_scan(out: &mut impl Write, format: Format, is_lines: bool, scan: &Scan) -> io::Result<()> {
    match format {
        Format::Ocsf if is_lines => write::ocsf_lines(out, scan),
        Format::Ocsf => write::ocsf(out, scan),
        Format::Xccdf => write::xccdf(out, scan),
        Format::Sarif => write::sarif(out, scan),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap, HashSet};
    use std::fs;

    use formats::Collected;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_251_600_000_000);
    const ACME: Profile = Profile {
        slug: "acme",
        clouds: &[Area::Aws, Area::Azure, Area::M365],
        hosts: 3,
        repository: true,
        size: 2,
        score: (52, 61),
        scans_max: 20,
        last_scan_hours: 5,
    };

    fn history(profile: &Profile) -> (tempfile::TempDir, Vec<ScanFile>) {
        let dir = tempfile::tempdir().unwrap();
        let files = write_history(profile, NOW, dir.path()).unwrap();
        (dir, files)
    }

    fn read(file: &ScanFile) -> (formats::Report, Collected) {
        let mut collected = Collected::default();
        let report = formats::read(fs::File::open(&file.path).unwrap(), None, &mut collected).unwrap();
        (report, collected)
    }

    #[test]
    fn the_same_client_at_the_same_time_gives_the_same_bytes() {
        let ((_one, first), (_other, second)) = (history(&ACME), history(&ACME));
        assert_eq!(first.len(), second.len());
        for (one, other) in first.iter().zip(&second) {
            assert_eq!(one.path.file_name(), other.path.file_name());
            assert_eq!(fs::read(&one.path).unwrap(), fs::read(&other.path).unwrap());
        }
        let (_dir, others) = history(&Profile { slug: "other", ..ACME });
        assert_ne!(fs::read(&first[0].path).unwrap(), fs::read(&others[0].path).unwrap());
    }

    #[test]
    fn every_file_is_read_back_with_its_time_and_tool() {
        let (_dir, files) = history(&ACME);
        let of = |format| files.iter().filter(|file| file.format == format).count();
        assert_eq!((of(Format::Ocsf), of(Format::Xccdf), of(Format::Sarif)), (14, 5, 5));
        assert!(files.iter().any(|file| file.path.extension().is_some_and(|ending| ending == "gz")));
        assert!(files.is_sorted_by_key(|file| file.observed_at));
        assert_eq!(files.last().unwrap().observed_at, Timestamp(NOW.0 - 5 * HOUR_US));
        let mut sources = HashSet::new();
        for file in &files {
            let (report, collected) = read(file);
            let origin = collected.origin.unwrap();
            assert_eq!(report.format, file.format);
            assert_eq!(origin.observed_at, Some(file.observed_at.0), "{}", file.path.display());
            assert!((60..=400).contains(&report.findings), "{}: {}", file.path.display(), report.findings);
            assert!(report.passed > 0 && report.failed > 0);
            sources.insert((origin.tool, origin.target));
        }
        assert_eq!(sources.len(), 3, "{sources:?}");
    }

    #[test]
    fn the_score_goes_where_the_profile_says() {
        let (_dir, files) = history(&ACME);
        let clouds: Vec<_> = files.iter().filter(|file| file.format == Format::Ocsf).collect();
        for (file, expected) in [(clouds[0], 52.0), (clouds[13], 61.0)] {
            let mut failing: BTreeMap<String, bool> = BTreeMap::new();
            for finding in read(file).1.findings {
                if matches!(finding.result, Outcome::Pass | Outcome::Fail) {
                    *failing.entry(finding.control_uid).or_default() |= finding.result == Outcome::Fail;
                }
            }
            let passed = failing.values().filter(|fails| !**fails).count();
            let score = 100.0 * passed as f64 / failing.len() as f64;
            assert!((score - expected).abs() < 4.0, "{score} instead of {expected}");
        }
    }

    #[test]
    fn findings_live_every_life() {
        for slug in ["acme", "glasswing", "dunmore"] {
            let (_dir, files) = history(&Profile { slug, ..ACME });
            let mut before: HashMap<(String, String), (bool, bool)> = HashMap::new();
            let (mut fresh, mut fixed, mut returned, mut recurring, mut gone) = (0, 0, 0, 0, 0);
            for file in files.iter().filter(|file| file.format == Format::Ocsf) {
                let findings = read(file).1.findings;
                let names: HashSet<_> =
                    findings.iter().map(|finding| (finding.control_uid.clone(), finding.resource.uid.clone())).collect();
                gone += before.keys().filter(|name| !names.contains(*name)).count();
                for finding in findings {
                    let fails = finding.result == Outcome::Fail;
                    let known = before.entry((finding.control_uid, finding.resource.uid)).or_default();
                    match (*known, fails) {
                        ((true, _), true) => recurring += 1,
                        ((true, _), false) => fixed += 1,
                        ((false, true), true) => returned += 1,
                        ((false, false), true) => fresh += 1,
                        ((false, _), false) => {}
                    }
                    *known = (fails, known.1 || fails);
                }
            }
            assert!(
                fresh > 40 && fixed > 20 && returned > 5 && recurring > 200 && gone > 0,
                "{slug}: {fresh} {fixed} {returned} {recurring} {gone}"
            );
        }
    }

    #[test]
    fn who_was_never_scanned_has_no_files() {
        assert!(history(&Profile { scans_max: 0, ..ACME }).1.is_empty());
        let (_dir, stale) = history(&Profile { last_scan_hours: 15 * 24, ..ACME });
        assert_eq!(stale.last().unwrap().observed_at, Timestamp(NOW.0 - 15 * DAY_US));
    }
}
