//! `tenantry serve`: opens the hub, listens, works until told to stop, and then lets what runs come to its end.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use kernel::{Hub, HubConfig, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::app_with;
use crate::config::Config;
use crate::{wiring, workers};

/// How long requests may go on once the hub was told to stop.
const STOP_MAX: Duration = Duration::from_secs(20);

/// Opens the store and wires the slices into a hub. Files that are being imported lie in `spool`, a folder of this hub's own.
///
/// # Errors
/// As [`Hub::open`].
pub async fn open(config: HubConfig, spool: &Path) -> Result<Hub> {
    let hub = Hub::open(config).await?;
    wiring::wire(&hub, spool);
    Ok(hub)
}

/// Opens the hub of a configuration to serve it: nobody else may serve the same data folder, which the file that comes along says as long as
/// it is open. What an interruption left of the operator's work is put right.
///
/// # Errors
/// Another hub serves the folder; the store cannot be opened.
pub async fn open_to_serve(config: &Config) -> std::result::Result<(Hub, std::fs::File), Box<dyn std::error::Error + Send + Sync>> {
    let serving = recovery::jobs::serving_lock(&config.data).await?;
    let serving = serving.ok_or_else(|| format!("another hub or command works on {} already", config.data.display()))?;
    let hub = config.open().await?;
    wiring::wire(&hub, &config.spool());
    config.provide(&hub);
    operations::provide(&hub, &config.operations, wiring::brands())?;
    recovery::jobs::finish_interrupted(&hub).await?;
    Ok((hub, serving))
}

/// A listening hub.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    hub: Hub,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    workers: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Begins to serve this hub on the listener.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn start(hub: &Hub, listener: TcpListener, metrics: Option<PrometheusHandle>) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let service = app_with(hub, metrics).into_make_service_with_connect_info::<SocketAddr>();
        let mut told = stopped.clone();
        let until_told = async move {
            // An error means that the sender is gone: stop as well.
            let _ = told.wait_for(|stop| *stop).await;
        };
        let server = tokio::spawn(async move { axum::serve(listener, service).with_graceful_shutdown(until_told).await });
        let workers = tokio::spawn(workers::run(hub.clone(), stopped));
        Ok(Self { address, hub: hub.clone(), stop, server, workers })
    }

    /// Stops taking requests and waits, up to 20 s, for those that run.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.hub.close();
        if tokio::time::timeout(STOP_MAX, self.server).await.is_err() {
            tracing::warn!("requests still ran after {} s; giving them up", STOP_MAX.as_secs());
        }
        if tokio::time::timeout(STOP_MAX, self.workers).await.is_err() {
            tracing::warn!("workers still ran after {} s; giving them up", STOP_MAX.as_secs());
        }
    }
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// The store cannot be opened, or the address is taken.
pub async fn serve(config: &Config) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let listener =
        TcpListener::bind(config.listen).await.map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    let config = config.clone().listening_on(listener.local_addr()?);
    let (hub, _serving) = open_to_serve(&config).await?;
    let running = Running::start(&hub, listener, Some(metrics()?))?;
    tracing::info!(address = %running.address, url = hub.public_url(), engine = hub.engine_name(), "Tenantry is up");
    if let Some(code) = identity::setup::prepare(&hub).await? {
        tracing::info!("first run: open {}/setup and enter the one-time code {code}", hub.public_url());
    }
    wait_for_signal().await?;
    tracing::info!("stopping");
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Collects metrics from now on; for [`Running::start`].
///
/// # Errors
/// A recorder was installed already.
pub fn metrics() -> std::result::Result<PrometheusHandle, Box<dyn std::error::Error + Send + Sync>> {
    let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)?;
    Ok(builder.install_recorder()?)
}

/// Waits for SIGINT or SIGTERM.
///
/// # Errors
/// The signal handlers cannot be set.
pub async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
