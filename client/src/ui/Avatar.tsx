import type { User } from "../sdk/protocol/generated";
import type { Status } from "../sdk/store/selectors";
import { colourOf, initialsOf } from "./initials";

interface Props {
  readonly user: User;
  readonly status: Status;
  /** Whether it represents a whole conversation. */
  readonly large?: boolean;
}

/** A disc with the initials of a user, and a dot if they are online, or a ring if they are away. */
export function Avatar({ user, status, large = false }: Props) {
  return (
    <span className="relative shrink-0" aria-hidden="true">
      <span
        className={`${large ? "size-20 text-3xl" : "size-9 text-sm"} flex items-center justify-center overflow-hidden rounded-full font-semibold text-white`}
        style={{ backgroundColor: colourOf(user.id) }}
      >
        {initialsOf(user.name)}
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
