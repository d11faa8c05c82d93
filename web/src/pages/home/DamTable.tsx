import type { ListedDam } from "./documents";

export function DamTable({ caption, dams }: { caption: string; dams: ListedDam[] }) {
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Owner</th>
          <th scope="col">River</th>
          <th scope="col">State</th>
          <th scope="col">Built</th>
        </tr>
      </thead>
      <tbody>
        {dams.map((dam) => (
          <tr key={dam.id}>
            <th scope="row">{dam.name ?? "Unnamed"}</th>
            <td>{dam.owner}</td>
            <td>{dam.river}</td>
            <td>{dam.state}</td>
            <td>{dam.dateBuilt}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
