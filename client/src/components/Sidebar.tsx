import { lazy, Suspense, useState } from "react";
import type { User } from "../sdk/protocol/generated";
import { text } from "../text/text";
import { Avatar } from "./Avatar";
import { ConversationList } from "./ConversationList";
import { SettingsIcon } from "./Icons";
import { NotificationPrompt } from "./NotificationPrompt";
import { PeopleList } from "./PeopleList";
import { useSelect } from "./use-app";
import { useLost } from "./use-lost";

const Settings = lazy(() => import("./settings/Settings"));

/** Who one is, whom one talks with, who is here. */
export function Sidebar({ me }: { readonly me: User }) {
  const [settings, setSettings] = useState(false);
  const lost = useLost();
  const { presence } = text;
  const first = useSelect((state) => state.epoch === null);
  return (
    <aside className="flex h-full min-h-0 w-full flex-col border-line bg-surface md:border-r">
      <header className="flex items-center gap-3 border-b border-line px-4 py-3">
        <Avatar user={me} online={!lost && !first} />
        <div className="min-w-0 flex-1">
          <p className="truncate font-semibold" data-testid="own-name">
            <bdi>{me.name}</bdi>
          </p>
          <p className="text-xs text-soft" data-testid="own-state">
            {lost ? presence.notConnected : first ? presence.connecting : presence.online}
          </p>
        </div>
        <button
          type="button"
          className="rounded-lg p-2 text-soft hover:bg-raised hover:text-ink"
          onClick={() => setSettings(true)}
          aria-label={text.settings.title}
          data-testid="settings-open"
        >
          <SettingsIcon />
        </button>
      </header>
      <NotificationPrompt />
      <ConversationList me={me} />
      <PeopleList me={me} />
      <Suspense>{settings && <Settings onClose={() => setSettings(false)} />}</Suspense>
    </aside>
  );
}
