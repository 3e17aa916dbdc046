import type { User } from "../sdk/protocol/generated";
import type { Status } from "../sdk/store/selectors";

const COLOURS = [
  "bg-teal-700",
  "bg-sky-700",
  "bg-indigo-700",
  "bg-fuchsia-800",
  "bg-rose-700",
  "bg-amber-800",
  "bg-emerald-800",
  "bg-slate-600",
];

interface Props {
  readonly user: User;
  readonly status: Status;
}

/** A disc with the first letter of a name, and a dot for somebody who is here: a ring for who is away. */
export function Avatar({ user, status }: Props) {
  const [initial = "?"] = user.name.toUpperCase();
  return (
    <span className="relative shrink-0" aria-hidden="true">
      <span
        className={`${colourOf(user.id)} flex size-9 items-center justify-center overflow-hidden rounded-full font-semibold text-white`}
      >
        {initial}
      </span>
      {(status === "online" || status === "away") && (
        <span className="absolute -right-0.5 -bottom-0.5 rounded-full bg-surface p-0.5">
          <span
            className={`block size-2.5 rounded-full ${status === "away" ? "border-2 border-away" : "bg-here"}`}
            data-status={status}
          />
        </span>
      )}
    </span>
  );
}

/** Always the same for the same user. */
function colourOf(id: string): string {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
  return COLOURS[sum % COLOURS.length] ?? "bg-slate-600";
}
