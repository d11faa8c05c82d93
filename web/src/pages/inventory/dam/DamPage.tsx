export default function DamPage({ damId }: { damId: number }) {
  return <p>{damId}</p>;
}
