import { lazyText } from "../../i18n/i18n";
import type { User } from "../../sdk/protocol/generated";
import { Avatar } from "../../ui/Avatar";

interface Props {
  readonly partner: User;
  readonly me: User;
}

/** Shown in a conversation without messages. */
export function Greeting({ partner, me }: Props) {
  const own = partner.id === me.id;
  const name = (
    <bdi key="name" className="font-semibold text-ink">
      {partner.name}
    </bdi>
  );
  return (
    <div
      className="pointer-events-none absolute inset-0 flex flex-col items-center justify-center gap-2 p-6 text-center text-soft"
      data-testid="greeting"
    >
      <Avatar user={partner} status="unknown" large />
      <p>{own ? lazyText.greeting.notes : lazyText.greeting.partner(name)}</p>
    </div>
  );
}
