import { useState } from "react";
import { lazyText } from "../../i18n/i18n";
import { useCommands } from "../../ui/use-app";
import { discardLeftovers } from "./leftovers";
import { keepLeftovers, offeredLeftovers } from "./offered-leftovers";

/** Asks whether to keep or delete what this browser still has of a user whose session was ended elsewhere. */
export function LeftoversPrompt() {
  const { session } = useCommands();
  const [offer, setOffer] = useState(offeredLeftovers);
  if (offer === null) return null;
  const { left, drafts } = offer;

  function keep() {
    keepLeftovers(left);
    setOffer(null);
  }

  function discard() {
    discardLeftovers(left, (user) => void session.discardUnsent(user));
    setOffer(null);
  }

  return (
    <div className="mb-4 rounded-lg bg-raised px-3 py-2 text-sm" data-testid="left">
      <p>{lazyText.logIn.left.what(drafts, left.unsent, left.user.name)}</p>
      <div className="mt-2 flex gap-2">
        <button type="button" className="button-quiet grow" onClick={keep} data-testid="left-keep">
          {lazyText.logIn.left.keep}
        </button>
        <button
          type="button"
          className="button-quiet grow"
          onClick={discard}
          data-testid="left-discard"
        >
          {lazyText.logIn.left.discard}
        </button>
      </div>
    </div>
  );
}
