//! The brand that counts at a place: its layers from the installation's down to its own, put together field by field.

use kernel::brand::{Brand, BrandColours, BrandContrast, BrandLayer, BrandLogo};
use kernel::news::Of;
use kernel::{ProviderId, ReadTx, Result, scope};

use super::colours::Colour;
use super::{Own, TenantBranding, asset_url, id_of, store};

/// Name and colour where nobody sets any.
const NAME: &str = "Tenantry";
const COLOUR: &str = "#0f766e";

/// One layer, as far as it counts here.
pub(super) struct Layer {
    pub of: Of,
    pub own: Own,
    /// What those above leave to it.
    pub rule: TenantBranding,
}

/// The layers of a place, the installation's first.
pub(super) struct Layers {
    pub layers: Vec<Layer>,
    /// What the place itself lets those below it do.
    pub rule_below: TenantBranding,
    /// Another one when any layer changed.
    pub version: i64,
    /// The place's own, as stored.
    pub own: Own,
    pub own_version: i64,
    /// The provider that locks it, by name.
    pub locked_by: Option<String>,
}

/// A value, and the index of the layer that sets it.
pub(super) type Found<T> = Option<(T, usize)>;

impl Layers {
    /// The layers of a place. A tenant that is archived or gone has no more than the installation's.
    ///
    /// # Errors
    /// As the store's.
    pub(super) async fn load<S: scope::Control>(tx: &mut ReadTx<S>, of: Of) -> Result<Self> {
        let (holder, tenant_name) = match of {
            Of::Installation => (None, None),
            Of::Provider(provider) => (Some(provider), None),
            Of::Tenant(tenant) => store::holder(tx, tenant).await?.unzip(),
        };
        let providers = lineage(tx, holder).await?;
        let mut places = vec![Of::Installation];
        places.extend(providers.iter().map(|provider| Of::Provider(provider.id)));
        if holder.is_some() && matches!(of, Of::Tenant(_)) {
            places.push(of);
        }
        let ids: Vec<_> = places.iter().map(|place| id_of(*place)).collect();
        let mut stored = store::layers(tx, &ids).await?;
        let mut layers = Self {
            layers: Vec::new(),
            rule_below: TenantBranding::Override,
            version: 1,
            own: Own::default(),
            own_version: 0,
            locked_by: None,
        };
        for place in places {
            let found = stored.iter().position(|(id, _)| *id == id_of(place)).map(|at| stored.swap_remove(at).1);
            let found = found.unwrap_or_default();
            layers.version += found.version;
            if place == of {
                (layers.own, layers.own_version) = (found.own.clone(), found.version);
            }
            let provider = providers.iter().find(|provider| place == Of::Provider(provider.id));
            let mut own = found.own;
            if let Some(provider) = provider {
                layers.version += provider.version;
            }
            let named_as = match provider {
                Some(provider) => Some(&provider.name).filter(|_| !provider.is_standalone),
                None => tenant_name.as_ref().filter(|_| place == of && providers.iter().any(|provider| provider.is_standalone)),
            };
            own.name = own.name.or_else(|| named_as.cloned());
            let rule = layers.rule_below;
            layers.layers.push(Layer { of: place, own, rule });
            if let Some(provider) = provider {
                if provider.rule == TenantBranding::Locked && place != of && layers.locked_by.is_none() {
                    layers.locked_by = Some(provider.name.clone());
                }
                layers.rule_below = rule.max(provider.rule);
            }
        }
        Ok(layers)
    }

    /// What those above leave to the place itself.
    pub(super) fn rule(&self) -> TenantBranding {
        self.layers.last().map_or(TenantBranding::Override, |layer| layer.rule)
    }

    /// The value that counts: the nearest layer's, unless one above keeps it.
    pub(super) fn pick<T>(&self, get: impl Fn(&Own) -> Option<T>) -> Found<T> {
        let mut found: Found<T> = None;
        for (index, layer) in self.layers.iter().enumerate() {
            let may = match layer.rule {
                TenantBranding::Override => true,
                TenantBranding::Inherit => found.is_none(),
                TenantBranding::Locked => false,
            };
            if let (true, Some(value)) = (may, get(&layer.own)) {
                found = Some((value, index));
            }
        }
        found
    }

    /// The dark logo. One that belongs to another logo than the light one that counts is none.
    pub(super) fn logo_dark(&self) -> Found<String> {
        let light = self.pick(|own| own.logo_light.clone());
        let dark = self.pick(|own| own.logo_dark.clone());
        dark.filter(|(_, at)| light.as_ref().is_none_or(|(_, light_at)| at >= light_at))
    }

    pub(super) fn layer_at(&self, index: usize) -> BrandLayer {
        match self.layers[index].of {
            Of::Installation => BrandLayer::Platform,
            Of::Provider(_) => BrandLayer::Provider,
            Of::Tenant(_) => BrandLayer::Tenant,
        }
    }

    /// The brand that counts.
    pub(super) fn brand(&self) -> Brand {
        let mut nearest = 0;
        let mut seen = |index: usize| nearest = nearest.max(index);
        fn value<T>(found: Found<T>, seen: &mut impl FnMut(usize)) -> Option<T> {
            found.map(|(value, index)| {
                seen(index);
                value
            })
        }
        let name = value(self.pick(|own| own.name.clone()), &mut seen).unwrap_or_else(|| NAME.into());
        let brand = value(self.pick(|own| own.colours.brand.clone()), &mut seen).unwrap_or_else(|| COLOUR.into());
        let accent = value(self.pick(|own| own.colours.accent.clone()), &mut seen);
        let light = value(self.pick(|own| own.logo_light.clone()), &mut seen).map(|id| asset_url(&id));
        let dark = value(self.logo_dark(), &mut seen).map(|id| asset_url(&id));
        let favicon = value(self.pick(|own| own.favicon.clone()), &mut seen).map(|id| asset_url(&id));
        let support = value(self.pick(|own| own.support.clone()), &mut seen);
        let email_footer = value(self.pick(|own| own.email_footer.clone()), &mut seen);
        let sign_in_text = value(self.pick(|own| own.sign_in_text.clone()), &mut seen);
        let (text_on_brand, contrast) = text_on(&brand);
        Brand {
            id: id_of(self.layers[nearest].of),
            version: self.version,
            layer: self.layer_at(nearest),
            name,
            colours: BrandColours { brand, text_on_brand, accent },
            logo: BrandLogo { light, dark },
            favicon,
            support,
            email_footer,
            sign_in_text,
            contrast,
        }
    }
}

fn text_on(colour: &str) -> (String, BrandContrast) {
    // What is stored was checked; should it be otherwise, the page still shows.
    let colour = Colour::parse(colour).or_else(|| Colour::parse(COLOUR)).expect("a constant of ours is a colour");
    let (text, contrast) = colour.text_on_it();
    (text.text(), contrast)
}

/// A provider and those above it, the topmost first.
async fn lineage<S: scope::Control>(tx: &mut ReadTx<S>, provider: Option<ProviderId>) -> Result<Vec<store::ProviderRow>> {
    let (mut rows, mut next) = (Vec::new(), provider);
    // The bound keeps a loop in the data from being a loop in the program.
    while let Some(id) = next.filter(|_| rows.len() < 8) {
        let Some(row) = store::provider(tx, id).await? else { break };
        next = row.parent;
        rows.push(row);
    }
    rows.reverse();
    Ok(rows)
}
