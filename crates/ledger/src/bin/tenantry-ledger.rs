//! `tenantry-ledger`: checks ledger exports and certificates of destruction, without the hub and without a network.

use std::process::ExitCode;

use ledger::cli::{CheckCertificate, GOOD, UNCHECKED, Verify, run_certificate, run_verify};

const USAGE: &str = "\
Checks what a Tenantry hub has signed. Needs neither the hub nor a network.

  tenantry-ledger verify FILE… [--key HEX|FILE]… [--checkpoint FILE]… [--json]
      Checks ledger exports from the first byte to the last and names the first bad entry.
  tenantry-ledger certificate FILE [--key HEX|FILE]… [--json]
      Checks a certificate of destruction.

  --key         a public key you trust: 64 hexadecimal digits, or a file with some (GET /api/v1/ledger-keys)
  --checkpoint  a checkpoint you kept: alone, a list, or a whole earlier export
  --json        one JSON object a file

Exit code: 0 all is good, 1 something is not, 2 it could not be checked.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout().lock();
    let code = match parse(&arguments) {
        Ok(Command::Help) => {
            print_usage(&mut out);
            Ok(GOOD)
        }
        Ok(Command::Verify(what)) => run_verify(&what, &mut out),
        Ok(Command::Certificate(what)) => run_certificate(&what, &mut out),
        Err(problem) => {
            eprintln!("tenantry-ledger: {problem}\n\n{USAGE}");
            Ok(UNCHECKED)
        }
    };
    ExitCode::from(code.unwrap_or(UNCHECKED))
}

fn print_usage(out: &mut impl std::io::Write) {
    if write!(out, "{USAGE}").is_err() {
        eprintln!("{USAGE}");
    }
}

enum Command {
    Help,
    Verify(Verify),
    Certificate(CheckCertificate),
}

fn parse(arguments: &[String]) -> Result<Command, String> {
    let mut verify = Verify::default();
    let mut rest = arguments.iter();
    let command = rest.next().map(String::as_str);
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") || command == Some("help") {
        return Ok(Command::Help);
    }
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().cloned().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--json" => verify.json = true,
            "--key" => verify.keys.push(value()?),
            "--checkpoint" => verify.checkpoints.push(value()?.into()),
            option if option.starts_with("--") => return Err(format!("there is no option {option}")),
            file => verify.files.push(file.into()),
        }
    }
    match command {
        Some("verify") if !verify.files.is_empty() => Ok(Command::Verify(verify)),
        Some("certificate") if verify.files.len() == 1 && verify.checkpoints.is_empty() => {
            let file = verify.files.swap_remove(0);
            Ok(Command::Certificate(CheckCertificate { file, keys: verify.keys, json: verify.json }))
        }
        Some("verify" | "certificate") => Err("name the file to check".into()),
        Some(other) => Err(format!("there is no command {other}")),
        None => Err("say what to do".into()),
    }
}
