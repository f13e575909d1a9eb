/** `duet mix CALLER CALLEE -o FILE`: the two recordings of a call as one stereo file. */
#ifndef MIX_COMMAND_H
#define MIX_COMMAND_H

/**
 * @param argc, argv  behind "mix"
 * @return exit status: 0 done; 1 it did not work, and nothing was left behind; 2 wrong command line
 *
 * What is wrong, and what is to be known, is told on standard error.
 */
int mix_command(int argc, char *const argv[]);

#endif
