import { lazyText } from "../i18n/i18n";
import { Dialog } from "../ui/Dialog";

/** Apple's keyboards have other names for Ctrl and Alt. */
const APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The list of keyboard shortcuts. */
export function Shortcuts({ onClose }: { readonly onClose: () => void }) {
  const { keys, does } = lazyText.shortcuts;
  const command = APPLE ? "⌘" : keys.ctrl;
  const alt = APPLE ? "⌥" : keys.alt;
  return (
    <Dialog title={lazyText.shortcuts.title} onClose={onClose}>
      <div className="overflow-y-auto px-5 py-2" data-testid="shortcuts">
        <Group name={lazyText.shortcuts.everywhere}>
          <Keys presses={[[command, "K"]]} does={does.switcher} />
          <Keys presses={[["/"]]} does={does.search} />
          <Keys
            presses={[
              [alt, "↑"],
              [alt, "↓"],
            ]}
            does={does.neighbours}
          />
          <Keys
            presses={[
              [alt, keys.shift, "↑"],
              [alt, keys.shift, "↓"],
            ]}
            does={does.unread}
          />
          <Keys presses={[[keys.escape]]} does={does.back} />
          <Keys presses={[["?"]]} does={does.help} />
        </Group>
        <Group name={lazyText.shortcuts.messages}>
          <Keys presses={[["↑"], ["↓"]]} does={does.message} />
          <Keys presses={[[keys.pageUp], [keys.pageDown]]} does={does.page} />
          <Keys presses={[[keys.home], [keys.end]]} does={does.ends} />
          <Keys presses={[["P"]]} does={does.pin} />
          <Keys presses={[["C"]]} does={does.copy} />
          <Keys presses={[["M"]]} does={does.more} />
        </Group>
        <Group name={lazyText.shortcuts.writing}>
          <Keys presses={[[keys.enter]]} does={does.send} />
          <Keys presses={[[keys.shift, keys.enter]]} does={does.newLine} />
          <Keys presses={[[command, "B"]]} does={does.bold} />
          <Keys presses={[[command, "I"]]} does={does.italic} />
          <Keys presses={[[command, "E"]]} does={does.code} />
        </Group>
      </div>
    </Dialog>
  );
}

interface GroupProps {
  readonly name: string;
  readonly children: React.ReactNode;
}

function Group({ name, children }: GroupProps) {
  return (
    <section className="py-3">
      <h3 className="mb-1 text-xs font-semibold tracking-wide text-soft uppercase">{name}</h3>
      <dl>{children}</dl>
    </section>
  );
}

interface KeysProps {
  /** Each a combination of keys. */
  readonly presses: readonly (readonly string[])[];
  readonly does: string;
}

function Keys({ presses, does }: KeysProps) {
  return (
    <div className="flex items-center justify-between gap-4 py-1">
      <dt className="flex shrink-0 flex-col gap-1">
        {presses.map((press) => (
          <kbd key={press.join()} className="flex gap-1 font-sans text-sm">
            {press.map((key) => (
              <kbd
                key={key}
                className="min-w-7 rounded border border-line bg-raised px-1.5 text-center"
              >
                {key}
              </kbd>
            ))}
          </kbd>
        ))}
      </dt>
      <dd className="text-right text-sm">{does}</dd>
    </div>
  );
}
