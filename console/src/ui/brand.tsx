import { useQuery } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { brandQuery, type Brand } from '../api';
import { isColour } from './contrast';

const PLAIN = 'Tenantry';
const watchers = new Set<() => void>();
let current: Partial<Brand> = {};
const watch = (changed: () => void) => { watchers.add(changed); return () => { watchers.delete(changed); }; };

const star = (colour: string) => `data:image/svg+xml,${encodeURIComponent(`<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'><rect width='24' height='24' rx='6' fill='${colour}'/><path d='M12 5l2 6 5 1-5 2-2 5-2-5-5-2 5-1z' fill='white'/></svg>`)}`;
/** One runtime input for colour; the rest of the palette is derived from it in CSS. */
function paint({ colours, favicon }: Partial<Brand>) {
  const colour = colours && isColour(colours.brand) ? colours.brand : null;
  if (colour) document.documentElement.style.setProperty('--brand', colour); else document.documentElement.style.removeProperty('--brand');
  const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  const href = favicon ?? (colour && star(colour));
  if (icon && href && icon.href !== href) { icon.removeAttribute('type'); icon.href = href; }
}
/** The brand of the page: the name in the tab, the logo, the one colour. */
export function useShowBrand(brand: Partial<Brand> | null | undefined) {
  useEffect(() => {
    if (!brand || brand === current) return;
    current = brand;
    paint(brand);
    for (const w of watchers) w();
  }, [brand]);
}
export const useBrand = () => useSyncExternalStore(watch, () => current);
export const useBrandName = () => useBrand().name ?? PLAIN;
/** Before sign-in. True when it is known, or can't be known. */
export function useDoorBrand(invitation?: string): boolean {
  const { data, isPending } = useQuery(brandQuery(invitation));
  useShowBrand(data);
  return !isPending;
}
export function PageTitle({ children }: { children: string }) {
  const name = useBrandName();
  return <title>{`${children} · ${name}`}</title>;
}
/** Beside the name, so it says nothing itself. */
export function Logo({ of }: { of?: Pick<Brand, 'logo'> }) {
  const shown = useBrand();
  const logo = (of ?? shown).logo;
  const light = logo?.light ?? logo?.dark;
  if (!light) return <span className="logo" aria-hidden><svg width="15" height="15" viewBox="0 0 24 24" fill="currentColor"><path d="M12 2l3 9 7 1-7 3-3 7-3-7-7-3 7-1z" /></svg></span>;
  return <><img className={logo?.dark ? 'logo-img on-light' : 'logo-img'} src={light} alt="" />{logo?.dark && <img className="logo-img on-dark" src={logo.dark} alt="" />}</>;
}
