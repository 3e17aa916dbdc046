declare module "virtual:emoji/*" {
  const file: import("./emoji-data").EmojiFile;
  export default file;
}
