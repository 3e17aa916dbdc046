import { Component, type ReactNode } from "react";
import { text } from "../i18n/i18n";

interface Props {
  readonly children: ReactNode;
}

/**
 * Catches what components throw, and shows what happened and a button to reload
 * instead of an empty page. Messages and drafts are stored, so a reload loses nothing.
 */
export class ErrorBoundary extends Component<Props, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <div
        role="alert"
        className="flex h-full w-full flex-col items-center justify-center gap-2 p-6 text-center"
        data-testid="broken"
      >
        <h1 className="text-lg font-semibold">{text.broken.title}</h1>
        <p className="max-w-prose text-soft">{text.broken.kept}</p>
        <button type="button" className="button-main mt-4" onClick={() => location.reload()}>
          {text.broken.reload}
        </button>
      </div>
    );
  }
}
