use std::io::Write;

use access::actions;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use kernel::http::{Json, Problems};
use kernel::{CanFail, Hub, Result, TenantCx};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::BundleExport;
use crate::BackupId;

/// Pieces of a bundle that wait for a slow client.
const PIECES: usize = 8;
const PIECE_BYTES: usize = 64 * 1024;

/// All routes of this slice.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(export))
}

/// Exports the whole organisation as a bundle, sealed with a passphrase.
#[utoipa::path(post, path = "/tenants/{tenant}/bundle", operation_id = "bundle.export", tag = "bundles",
    params(("tenant" = String, Path, description = "Id or slug")), request_body = BundleExport,
    responses((status = 200, content_type = "application/octet-stream", description = "The bundle"), Problems))]
async fn export(cx: TenantCx, Json(body): Json<BundleExport>) -> Result<Response> {
    let mut tx = cx.write::<actions::BundleExport>().await?;
    let passphrase = Zeroizing::new(body.passphrase);
    super::check_passphrase(&passphrase)?;
    let (hub, tenant, id) = (tx.hub().clone(), cx.tenant().id, BackupId::new(cx.now()));
    super::note(&mut tx, id);
    tx.commit().await?;
    let (sender, receiver) = mpsc::channel::<std::io::Result<Bytes>>(PIECES);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let out = Pieces { sender: sender.clone(), piece: Vec::with_capacity(PIECE_BYTES) };
        let written = super::write(&hub, &runtime, tenant, id, &passphrase, out)
            .and_then(|(mut out, _)| out.flush().map_err(|error| crate::format::unreachable_io(&error)));
        if let Err(error) = written {
            tracing::warn!(%tenant, error = %kernel::error::chain(&error), "a bundle was not finished");
            // The answer has begun: breaking it off is all that says so. The file lacks its end, so no import takes it.
            sender.blocking_send(Err(std::io::Error::other("not finished"))).can_fail("the client is gone");
        }
    });
    let name = format!("{}-{}.tbundle", cx.tenant().slug, &cx.now().to_string()[..10]);
    let stream =
        futures_util::stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|piece| (piece, receiver)) });
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// Hands the bytes on as pieces; waits while the client is slow, fails when it is gone.
struct Pieces {
    sender: mpsc::Sender<std::io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.sender.blocking_send(Ok(piece)).map_err(|_| std::io::Error::from(std::io::ErrorKind::BrokenPipe))
    }
}
