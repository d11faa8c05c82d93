import { useRef } from "react";

/** Reports a token when it is complete (Enter, or leaving the box), not at each key. */
export function TokenBox({ token, onChange }: { token: string; onChange: (token: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const report = () => {
    const typed = input.current?.value.trim() ?? "";
    if (typed !== token) onChange(typed);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        report();
      }}
    >
      <label>
        API token{" "}
        <input ref={input} type="password" defaultValue={token} onBlur={report} autoComplete="off" spellCheck={false} />
      </label>
    </form>
  );
}
