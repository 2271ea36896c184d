//! Takes what acts said, one piece in one commit: the commit that does something about it takes it out of the way.

use kernel::news::{NewsId, Said};
use kernel::{Hub, Result};

use crate::{alerts, mail};

/// Pieces that are looked at together.
const ROUND: u32 = 100;

/// Hears everything that lies ready.
///
/// # Errors
/// The control database does not answer.
pub(crate) async fn all(hub: &Hub) -> Result<()> {
    loop {
        let pieces = hub.system_read().await?.news(ROUND).await?;
        let is_last = pieces.len() < ROUND as usize;
        let mut heard = 0;
        for (id, said) in pieces {
            match one(hub, id, &said).await {
                Ok(()) => heard += 1,
                Err(error) => tracing::warn!(%error, news = %id, "something that was said is not heard yet"),
            }
        }
        if is_last || heard == 0 {
            return Ok(());
        }
    }
}

async fn one(hub: &Hub, id: NewsId, said: &Said) -> Result<()> {
    let letter = match said {
        Said::Mail(mail) => mail::write(hub, mail, Vec::new()).await?,
        Said::Alert(_) => None,
    };
    let mut tx = hub.system_write("news.hear", "what an act said is passed on").await?;
    tx.keeps_authority();
    if !tx.heard(id).await? {
        return Ok(());
    }
    if let Some(letter) = letter {
        mail::put(&mut tx, &letter).await?;
    }
    if let Said::Alert(alert) = said {
        alerts::take(&mut tx, alert).await?;
    }
    tx.commit().await
}
