//! Stand-in until the slice is merged.
use kernel::{Error, Result, WriteTx, scope};
kernel::kinds! {
    /// An elevation.
    ElevationKind ElevationId "elv";
}
pub(crate) async fn approve_for_tenant(_: &mut WriteTx<scope::Records>, _: ElevationId, _: &str) -> Result<()> {
    Err(Error::NotFound)
}
pub(crate) async fn deny_for_tenant(_: &mut WriteTx<scope::Records>, _: ElevationId, _: &str) -> Result<()> {
    Err(Error::NotFound)
}
pub(crate) async fn end_for_tenant(_: &mut WriteTx<scope::Records>, _: ElevationId, _: &str) -> Result<()> {
    Err(Error::NotFound)
}
