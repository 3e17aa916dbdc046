declare module "virtual:emoji/*" {
  const file: import("./components/emoji-data").EmojiFile;
  export default file;
}
