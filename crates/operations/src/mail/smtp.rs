//! The way out: one SMTP server (RFC 5321), with TLS from the first byte, by STARTTLS (RFC 3207), or, in a trusted network, without.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use kernel::{Error, Result, Timestamp};
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as LettreTls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use zeroize::Zeroizing;

use super::render::{Line, Rendered};

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte (port 465).
    Tls,
    /// By STARTTLS, without which nothing is sent (port 587).
    StartTls,
    /// Not at all: only for a server on the same machine or in a trusted network.
    None,
}

/// How e-mails leave.
#[derive(Clone)]
pub struct Smtp {
    /// Name of the server; its certificate must be for it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who signs in to it; none: nobody has to.
    pub user: Option<String>,
    /// Their password.
    pub password: Option<Zeroizing<String>>,
    /// The address that e-mails come from.
    pub from: String,
    /// A certificate (PEM) that is trusted besides the system's: of an authority of one's own.
    pub ca_file: Option<PathBuf>,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smtp({}:{} {:?} from {})", self.host, self.port, self.tls, self.from)
    }
}

/// What is wrong with the settings of SMTP.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadSmtp(String);

impl Smtp {
    /// From `smtps://user@host:465`, `smtp://user@host:587` (STARTTLS, or `?tls=none` for none at all), password and sender apart.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(url: &str, password: Option<String>, from: &str, ca_file: Option<PathBuf>) -> Result<Self, BadSmtp> {
        let bad = |what: &str| BadSmtp(format!("{what}; write smtps://user@host:465 or smtp://user@host:587"));
        let (scheme, rest) = url.trim().split_once("://").ok_or_else(|| bad("no address of a server"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let tls = match (scheme, query) {
            ("smtps", "") => Tls::Tls,
            ("smtp", "" | "tls=starttls") => Tls::StartTls,
            ("smtp", "tls=none") => Tls::None,
            _ => return Err(bad("an unknown way to connect")),
        };
        let rest = rest.trim_end_matches('/');
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
        if user.is_some_and(|user| user.contains(':')) {
            return Err(BadSmtp("the password does not belong into the address; give it in a file or in the environment".into()));
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| bad("the port is no number"))?),
            None => (place, if tls == Tls::Tls { 465 } else { 587 }),
        };
        let is_name = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if !is_name {
            return Err(bad("no name of a server"));
        }
        from.parse::<Address>().map_err(|_| BadSmtp(format!("{from:?} is no address that e-mails can come from")))?;
        let user = user.map(|user| user.replace("%40", "@"));
        if user.is_some() != password.is_some() {
            return Err(BadSmtp("user and password belong together: give both or neither".into()));
        }
        if password.is_some() && tls == Tls::None && !is_local(host) {
            return Err(BadSmtp("a password is not sent over a network without TLS".into()));
        }
        let password = password.map(|password| Zeroizing::new(password.trim_end_matches(['\r', '\n']).to_owned()));
        Ok(Self { host: host.to_owned(), port, tls, user, password, from: from.to_owned(), ca_file })
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Longest that one delivery may take.
pub(super) const SEND_MAX: Duration = Duration::from_secs(60);
const STEP_MAX: Duration = Duration::from_secs(20);

/// Sends.
pub struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
    /// What ids of messages end in.
    domain: String,
    /// Name of the server, for people.
    pub(super) host: String,
}

/// Why something was not sent.
#[derive(Debug)]
pub(super) struct NotSent {
    /// Trying again changes nothing.
    pub is_final: bool,
    pub why: String,
}

/// Nobody answers automatically to what was sent automatically (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Post {
    /// A way to this server.
    ///
    /// # Errors
    /// `Internal`: the certificate's file cannot be read, the address it comes from is none.
    pub fn new(smtp: &Smtp, public_url: &str) -> Result<Self> {
        let from: Address = smtp.from.parse().map_err(Error::internal)?;
        let mut parameters = TlsParameters::builder(smtp.host.clone());
        if let Some(path) = &smtp.ca_file {
            let pem = std::fs::read(path).map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
            parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(Error::internal)?);
        }
        let tls = match smtp.tls {
            Tls::Tls => LettreTls::Wrapper(parameters.build().map_err(Error::internal)?),
            Tls::StartTls => LettreTls::Required(parameters.build().map_err(Error::internal)?),
            Tls::None => LettreTls::None,
        };
        let host = public_url.split_once("://").map_or("", |(_, rest)| rest).split(['/', ':']).next().unwrap_or_default();
        let domain = if host.contains('.') { host.to_owned() } else { from.domain().to_owned() };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(smtp.host.clone())
            .port(smtp.port)
            .tls(tls)
            .hello_name(ClientId::Domain(domain.clone()))
            .timeout(Some(STEP_MAX));
        if let (Some(user), Some(password)) = (&smtp.user, &smtp.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.to_string()));
        }
        Ok(Self { transport: builder.build(), from, domain, host: smtp.host.clone() })
    }

    /// The address that e-mails come from.
    pub(super) fn from(&self) -> String {
        self.from.to_string()
    }

    /// Sends one e-mail. `id` is the same at every try, so that whoever gets it twice can tell.
    pub(super) async fn send(
        &self,
        id: &str,
        (to, from_name, subject): (&str, &Line, &Line),
        body: Rendered,
        at: Timestamp,
    ) -> Result<(), NotSent> {
        let never = |why: String| NotSent { is_final: true, why };
        let to: Address = to.parse().map_err(|_| never("The address is none that e-mails can go to.".into()))?;
        let date = SystemTime::UNIX_EPOCH + Duration::from_micros(at.0.unsigned_abs());
        let message = Message::builder()
            .from(Mailbox::new(Some(from_name.as_str().to_owned()), self.from.clone()))
            .to(Mailbox::new(None, to))
            .subject(subject.as_str())
            .date(date)
            .message_id(Some(format!("<{id}@{}>", self.domain)))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(body.text, body.html))
            .map_err(|error| never(error.to_string()))?;
        match tokio::time::timeout(SEND_MAX, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(NotSent { is_final: is_final(&error), why: words(&error) }),
            Err(_) => Err(NotSent { is_final: false, why: format!("The server took longer than {} seconds.", SEND_MAX.as_secs()) }),
        }
    }
}

/// A 5xx means never (RFC 5321 section 4.2.1), but those about signing in and about encryption are about our settings, which can be put right.
fn is_final(error: &lettre::transport::smtp::Error) -> bool {
    let about_us = error.status().is_some_and(|code| matches!(u16::from(code), 530..=539 | 503 | 500..=502));
    error.is_permanent() && !about_us
}

fn words(error: &lettre::transport::smtp::Error) -> String {
    kernel::error::chain(error).chars().filter(|c| !c.is_control()).take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers_say_how_to_connect() {
        let parse = |url: &str, password: Option<&str>| Smtp::parse(url, password.map(str::to_owned), "hub@example.org", None);
        let smtp = parse("smtps://me%40example.org@mail.example.org", Some("x\n")).unwrap();
        assert_eq!((smtp.port, smtp.tls, smtp.user.as_deref()), (465, Tls::Tls, Some("me@example.org")));
        assert_eq!(smtp.password.unwrap().as_str(), "x");
        let smtp = parse("smtp://mail.example.org:2525", None).unwrap();
        assert_eq!((smtp.port, smtp.tls), (2525, Tls::StartTls));
        assert_eq!(parse("smtp://127.0.0.1:25?tls=none", None).unwrap().tls, Tls::None);
        for (url, password) in [
            ("mail.example.org", None),
            ("ftp://x", None),
            ("smtp://a:b@host", Some("b")),
            ("smtp://me@host", None),
            ("smtp://host", Some("x")),
            ("smtp://me@mail.example.org?tls=none", Some("x")),
            ("smtp://ho st", None),
            ("smtp://host:no", None),
        ] {
            assert!(parse(url, password).is_err(), "{url}");
        }
        assert!(Smtp::parse("smtp://host", None, "no address", None).is_err());
    }
}
