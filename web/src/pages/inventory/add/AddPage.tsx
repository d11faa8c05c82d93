export default function AddPage() {
  return null;
}
