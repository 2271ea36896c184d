//! A real SMTP server (the state machine is mailin's) that can be told to be busy, to refuse, and to hang up.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use mailin::{Action, AuthMechanism, Handler, Response, Session, SessionBuilder, response};
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::mail::{Smtp, Tls};

/// What becomes of the next connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    Take,
    /// 450 at the recipient.
    Busy,
    /// 550 at the recipient.
    Refuse,
    /// Hangs up in the middle of the content.
    HangUp,
}

/// How connections are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    Tls,
    StartTls,
    None,
}

/// A server that listens.
pub(crate) struct MailServer {
    port: u16,
    protection: Protection,
    shared: Arc<Shared>,
    folder: tempfile::TempDir,
}

struct Shared {
    plans: Mutex<VecDeque<Plan>>,
    taken: Mutex<Vec<String>>,
    /// Everything that came in before TLS.
    plain: Mutex<String>,
    password: Option<&'static str>,
}

impl MailServer {
    pub async fn start(protection: Protection) -> Self {
        Self::start_with(protection, None).await
    }

    /// One that wants `hub` to sign in with this password.
    pub async fn start_with(protection: Protection, password: Option<&'static str>) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("ca.pem"), made.cert.pem()).expect("a writable folder");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
        let tls = TlsAcceptor::from(Arc::new(config.expect("a good certificate")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared { plans: Mutex::default(), taken: Mutex::default(), plain: Mutex::default(), password });
        let serving = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let plan = serving.plans.lock().pop_front().unwrap_or(Plan::Take);
                // A client that goes away is no failure of the server.
                tokio::spawn(connection(stream, tls.clone(), protection, plan, serving.clone()));
            }
        });
        Self { port, protection, shared, folder }
    }

    /// How the hub reaches it.
    pub fn smtp(&self) -> Smtp {
        let tls = match self.protection {
            Protection::Tls => Tls::Tls,
            Protection::StartTls => Tls::StartTls,
            Protection::None => Tls::None,
        };
        Smtp {
            host: "localhost".into(),
            port: self.port,
            tls,
            user: None,
            password: None,
            from: "hub@northwind.example".into(),
            ca_file: Some(self.folder.path().join("ca.pem")),
        }
    }

    /// What becomes of the next connections.
    pub fn plan(&self, plans: impl IntoIterator<Item = Plan>) {
        self.shared.plans.lock().extend(plans);
    }

    /// What it took so far, each as it came.
    pub fn taken(&self) -> Vec<String> {
        self.shared.taken.lock().clone()
    }

    /// What was said to it before TLS.
    pub fn plain(&self) -> String {
        self.shared.plain.lock().clone()
    }
}

struct Taker {
    plan: Plan,
    message: Vec<u8>,
    shared: Arc<Shared>,
}

impl Handler for Taker {
    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        response::OK
    }

    fn rcpt(&mut self, _: &str) -> Response {
        match self.plan {
            Plan::Busy => Response::custom(450, "Mailbox busy".into()),
            Plan::Refuse => response::NO_MAILBOX,
            _ => response::OK,
        }
    }

    fn data(&mut self, piece: &[u8]) -> io::Result<()> {
        self.message.extend_from_slice(piece);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.shared.taken.lock().push(String::from_utf8_lossy(&self.message).into_owned());
        self.message.clear();
        response::OK
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        if user == "hub" && Some(password) == self.shared.password { response::AUTH_OK } else { response::INVALID_CREDENTIALS }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

async fn connection(
    stream: TcpStream,
    tls: TlsAcceptor,
    protection: Protection,
    plan: Plan,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let address = stream.peer_addr()?.ip();
    let mut builder = SessionBuilder::new("localhost");
    if protection == Protection::StartTls {
        builder.enable_start_tls();
    }
    if shared.password.is_some() {
        builder.enable_auth(AuthMechanism::Plain);
    }
    let mut session = builder.build(address, Taker { plan, message: Vec::new(), shared: shared.clone() });
    let mut stream: Box<dyn Stream> = if protection == Protection::Tls {
        session.tls_active();
        Box::new(tls.accept(stream).await?)
    } else {
        Box::new(stream)
    };
    stream.write_all(&session.greeting().buffer()?).await?;
    let mut is_plain = protection != Protection::Tls;
    loop {
        match conversation(&mut stream, &mut session, plan, is_plain.then_some(&*shared)).await? {
            Action::UpgradeTls => {
                stream = Box::new(tls.accept(stream).await?);
                session.tls_active();
                is_plain = false;
            }
            _ => return Ok(()),
        }
    }
}

/// Talks until the connection changes its nature.
async fn conversation(
    stream: &mut Box<dyn Stream>,
    session: &mut Session<Taker>,
    plan: Plan,
    plain: Option<&Shared>,
) -> io::Result<Action> {
    let mut reader = BufReader::new(stream);
    let mut has_begun = false;
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).await? == 0 || (has_begun && plan == Plan::HangUp) {
            return Ok(Action::Close);
        }
        if let Some(shared) = plain {
            shared.plain.lock().push_str(&String::from_utf8_lossy(&line));
        }
        let answer = session.process(&line);
        has_begun |= answer.code == 354;
        if answer.action != Action::NoReply {
            reader.write_all(&answer.buffer()?).await?;
        }
        if matches!(answer.action, Action::Close | Action::UpgradeTls) {
            return Ok(answer.action);
        }
    }
}
