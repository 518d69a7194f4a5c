/**
 * How a shell finds the names of kept TDs while one types: it reads the directory itself, which takes no time. Where
 * that is, `src/keeper/state-directory.ts` decides; a test holds the two together.
 */

/** For bash and zsh; `_tdctl_words` is the one of the shell. */
export const namesFunction = `_tdctl_tds() {
  local dir=$TDCTL_STATE_DIR
  if [[ -z $dir ]]; then
    dir=/tmp/tdctl-$EUID
    [[ $XDG_RUNTIME_DIR == /* ]] && dir=$XDG_RUNTIME_DIR/tdctl
    [[ $EUID == 0 ]] && dir=/run/tdctl
  fi
  _tdctl_words $(command ls "$dir/td" 2>/dev/null)
}
`;

export const fishNamesFunction = `function __tdctl_tds
  set -l uid (id -u)
  set -l dir /tmp/tdctl-$uid
  string match -q '/*' -- "$XDG_RUNTIME_DIR"; and set dir $XDG_RUNTIME_DIR/tdctl
  test $uid = 0; and set dir /run/tdctl
  test -n "$TDCTL_STATE_DIR"; and set dir $TDCTL_STATE_DIR
  command ls $dir/td 2>/dev/null
end
`;
