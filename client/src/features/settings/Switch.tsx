interface Props {
  /** For tests. */
  readonly name: string;
  readonly label: string;
  readonly on: boolean;
  readonly disabled?: boolean;
  readonly change: (on: boolean) => void;
}

/** A switch that takes effect at once. */
export function Switch({ name, label, on, disabled = false, change }: Props) {
  return (
    <label className="flex items-center justify-between gap-4 font-medium">
      {label}
      <input
        type="checkbox"
        className="switch"
        checked={on}
        disabled={disabled}
        onChange={(event) => change(event.target.checked)}
        data-testid={name}
      />
    </label>
  );
}
