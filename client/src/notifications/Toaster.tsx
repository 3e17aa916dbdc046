import { useEffect } from "react";
import { Toaster as Sonner, toast } from "sonner";
import "sonner/dist/styles.css";
import { useTheme } from "../platform/theme";
import { MessageToast } from "./MessageToast";
import { toasterReady } from "./toasts";

/** Shows the toasts; loaded when the first one is needed. */
export default function Toaster() {
  useEffect(() => toasterReady(toast, MessageToast), []);
  return <Sonner position="top-right" theme={useTheme()} />;
}
