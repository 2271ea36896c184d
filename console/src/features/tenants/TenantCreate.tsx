export default function TenantCreate(_: { opened: boolean; onClose: () => void }) {
  return null;
}
