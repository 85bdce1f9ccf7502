#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions per distance and per patch of the CUDA kernels, from their machine code: no GPU and no disassembler.

    nvcc -std=c++20 -O3 --fmad=false --expt-relaxed-constexpr -arch=sm_90 -Isrc -Iinclude -cubin -o x.cubin FILE.cu
    count_instructions.py [--blocks] x.cubin...        # prints Markdown

A cubin is an ELF file with a section .text.KERNEL of 16-byte instructions. Bits 0-8 of one are its operation, bits
12-15 its predicate, bits 73-75 the width of a load or store; a branch holds the distance to its target. Blocks
between branches and targets are found, and how often a warp runs each: most by the shape of the loops, a few by
rules about what a block holds (`Kernel.weight`). Whatever runs seldom (more bands, full lists) has a weight of 0 and a
row of its own. --blocks prints every block with its weight, to check the rules when a kernel has changed.
"""
import argparse
import collections
import re
import struct

# Operation numbers of sm_80 to sm_100 (bits 0-8), and what limits each: an SM issues 4 warp instructions a cycle, to
# FP32 lanes (64 on sm_80, else 128), ALU lanes (64), the load-store unit (32 words of shared memory a cycle), ...
OPERATIONS = {
    "fp32": {0x20: "FMUL", 0x21: "FADD", 0x23: "FFMA"},
    "compare": {0x09: "FMNMX", 0x76: "FMNMX3", 0x0B: "FSETP", 0x08: "FSEL"},
    "integer": {0x02: "MOV", 0x03: "P2R", 0x05: "CS2R", 0x06: "VOTE", 0x07: "SEL", 0x0C: "ISETP", 0x10: "IADD3",
                0x11: "LEA", 0x12: "LOP3", 0x13: "IABS", 0x16: "PRMT", 0x17: "IMNMX", 0x19: "SHF", 0x1C: "PLOP3", 0x24: "IMAD",
                0x25: "IMAD.WIDE", 0x27: "IMAD.HI", 0x31: "HFMA2", 0x35: "HFMA2", 0x36: "VIADD", 0x46: "VIADDMNMX",
                0x48: "VIMNMX", 0x109: "POPC", 0x100: "FLO", 0x101: "BREV"},
    "fp64, conversion": {0x28: "DMUL", 0x29: "DADD", 0x2A: "DSETP", 0x2B: "DFMA", 0x105: "F2I", 0x106: "I2F",
                         0x108: "MUFU", 0x110: "F2F", 0x111: "F2I.64", 0x112: "I2F.64"},
    "shared": {0x184: "LDS", 0x188: "STS", 0x189: "SHFL"},
    "global": {0x181: "LDG", 0x186: "STG", 0x18E: "RED", 0x1A8: "ATOMG", 0x183: "LDL", 0x187: "STL"},
    "control, uniform": {0x11D: "BAR", 0x141: "BSYNC", 0x142: "BREAK", 0x144: "CALL", 0x145: "BSSY", 0x147: "BRA",
                         0x148: "WARPSYNC", 0x14D: "EXIT", 0x150: "RET", 0x118: "NOP", 0x119: "S2R", 0x1C3: "S2UR",
                         0x182: "LDC", 0x1AC: "LDCU", 0xB9: "ULDC", 0x82: "UMOV", 0x86: "VOTEU", 0x87: "USEL",
                         0x8C: "UISETP", 0x90: "UIADD3", 0x91: "ULEA", 0x92: "ULOP3", 0x99: "USHF", 0x9C: "UPLOP3",
                         0xA4: "UIMAD", 0xA5: "UIMAD.WIDE", 0xBD: "UFLO", 0xBE: "UBREV", 0xBF: "UPOPC", 0xCA: "R2UR"},
}
NAME_OF = {number: name for names in OPERATIONS.values() for number, name in names.items()}
CLASS_OF = {number: cls for cls, names in OPERATIONS.items() for number in names}
CLASSES = list(OPERATIONS)
FLOAT = tuple(OPERATIONS["fp32"].values())
WORDS = {4: 1, 5: 2, 6: 4}  # of a load or store by bits 73-75

Instruction = collections.namedtuple("Instruction", "place name cls words target always")


def read_kernels(path):
    """{mangled name: (architecture, [Instruction])} of a cubin."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"\x7fELF" or data[4] != 2:
        raise SystemExit(f"{path}: no 64-bit ELF file")
    flags = struct.unpack_from("<I", data, 48)[0]
    # The architecture is in bits 0-7, or since ELF version 8 of cubins in bits 8-15.
    arch = flags & 0xFF if flags & 0xFF in (80, 86, 89, 90) else flags >> 8 & 0xFF
    table, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    sections = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    kernels = {}
    for name, _, _, _, offset, n_bytes in sections:
        start = sections[names][4] + name
        text = data[start:data.index(b"\0", start)].decode()
        if text.startswith(".text."):
            kernels[text[6:]] = (arch, decode(data[offset:offset + n_bytes], arch))
    return kernels


def decode(code, arch):
    instructions = []
    for place in range(0, len(code), 16):
        low, high = struct.unpack_from("<QQ", code, place)
        number = low & 0x1FF
        if number not in NAME_OF:
            raise SystemExit(f"unknown operation {number:#x} at {place:#x}: add it to OPERATIONS")
        name, target = NAME_OF[number], None
        if name == "CALL" and low >> 12 & 15 != 7:
            name = "BRA"  # sm_80 leaves loops so; calls of functions have no predicate
        if name == "BRA":
            distance = low >> 34 | (high & 0x3FFFF) << 30
            if arch >= 90:
                distance = distance << 8 | low >> 16 & 0xFF
            n_bits = 56 if arch >= 90 else 48
            if distance >> (n_bits - 1):
                distance -= 1 << n_bits
            target = place + 16 + 4 * distance
        words = WORDS.get(high >> 9 & 7, 1) if name in ("LDS", "STS", "LDG", "STG", "RED") else 0
        always = (low >> 12 & 15) == 7 and name != "BRA" or (name == "BRA" and is_unconditional(low, high))
        instructions.append(Instruction(place, name, CLASS_OF[number], words, target, always))
    return instructions


def is_unconditional(low, high):
    """No predicate before the branch, none as its operand (bits 87-90), and not on a uniform one."""
    return low >> 12 & 15 == 7 and high >> 23 & 15 == 7 and low >> 9 & 7 == 4


class Block:
    """Instructions that run one after another."""

    def __init__(self, instructions):
        self.instructions = instructions
        self.start, self.end = instructions[0].place, instructions[-1].place
        self.next = []  # blocks that may follow
        self.is_loop = False

    def count(self, *names, words=None):
        return sum(i.name in names and (words is None or i.words == words) for i in self.instructions)


def blocks_of(instructions):
    starts = {0} | {i.target for i in instructions if i.target is not None}
    starts |= {i.place + 16 for i in instructions if i.name in ("BRA", "EXIT", "RET", "CALL")}
    blocks, current = [], []
    for instruction in instructions:
        if current and instruction.place in starts:
            blocks.append(Block(current))
            current = []
        current.append(instruction)
    blocks.append(Block(current))
    at = {block.start: block for block in blocks}
    for block, following in zip(blocks, blocks[1:] + [None]):
        last = block.instructions[-1]
        if last.target in at:
            block.next.append(at[last.target])
            block.is_loop = last.target == block.start
        ends = last.name in ("BRA", "EXIT", "RET") and last.always
        if following is not None and not ends:
            block.next.append(following)
            # Or the jump back is a block of its own.
            block.is_loop |= len(following.instructions) == 1 and last_target(following) == block.start
    return blocks


def last_target(block):
    return block.instructions[-1].target


def loops_of(blocks):
    """The blocks of each loop."""
    loops = []
    for block in blocks:
        target = last_target(block)
        if target is not None and target <= block.start:
            loops.append([b for b in blocks if target <= b.start <= block.start])
    return loops


def loop_of(blocks, *names):
    """The longest loop that holds instructions of these names."""
    loops = [loop for loop in loops_of(blocks) if any(b.count(*names) for b in loop)]
    if not loops:
        raise SystemExit(f"no loop with {names}")
    return max(loops, key=len)


class Kernel:
    """Counts of one kernel: subclasses say what part a block belongs to, and how often a warp runs it."""
    unit = None      # of what counts are per
    per_unit = None  # what a warp instruction of weight 1 is of that
    is_sum = True    # parts have one unit and can be added up

    def __init__(self, instructions, arguments):
        self.arguments = arguments
        self.blocks = blocks_of(instructions)
        self.parts = collections.OrderedDict()  # name: (counter by class, words of shared memory)
        self.notes = []
        self.listing = []

    def add(self, part, block, weight):
        counter, words = self.parts.get(part, (collections.Counter(), 0))
        for i in block.instructions:
            if i.name == "NOP":
                continue
            counter[i.cls] += weight * self.per_unit
            if i.name in ("LDS", "STS"):
                words += weight * self.per_unit * i.words
        self.parts[part] = (counter, words)
        self.listing.append((part, block, weight))


class LofKernel(Kernel):
    """A block: 24 x 32 locations, 2 dates s, a date t a turn; 4 warps sum along rows, 3 along columns."""
    unit = "distance"
    per_unit = 1 / (24 * 32 * 2 / 32)

    def __init__(self, instructions, arguments):
        super().__init__(instructions, arguments)
        loop = loop_of(self.blocks, "BAR")
        first_barrier = next(b for b in loop if b.count("BAR"))
        # Of the sums along rows there are two versions, and that for further bands loads what is there and adds to it.
        sums = [b for b in loop if b.start < first_barrier.start and b.count("STS") and b.count(*FLOAT) >= 30]
        more_bands = [b for b in sums if b.count("LDS") > min(s.count("LDS") for s in sums)]
        after_call = [following for b, following in zip(loop, loop[1:]) if b.count("CALL")]
        for block in loop:
            part, weight = self.weight(block, first_barrier, more_bands, after_call)
            self.add(part, block, weight)

    def weight(self, block, first_barrier, more_bands, after_call):
        """The part, and how many warps of a block run it in a turn."""
        if block.count("CALL") or block in after_call or any(b.count("CALL") for b in block.next):
            return "not counted: a list is full", 0
        if block in more_bands or block.count("LDG", words=1):
            return "not counted: more bands", 0
        if block.start <= first_barrier.start:
            if 0 < block.count(*FLOAT) < 30:
                return "not counted: more bands", 0  # adds to sums that are there
            is_sum = block.count(*FLOAT) >= 30 or block.count("LDS") >= 3
            return "sums along rows" if is_sum else "next image, loop", 4
        if block.count("STG", words=2):
            return "a date within the bound", 3 * self.arguments.any_hit
        if block.count("STG"):
            return "end of a group", 3 * self.arguments.groups / self.arguments.dates
        if not block.count("FADD") and (block.count("STS") or block.count("BAR")):
            return "next image, loop", 4
        return "sums along columns, minimum or comparison", 3


class ScoreKernel(Kernel):
    """label_kernel and distance_kernel: 192 threads x 8 patches, 5 centres a turn of the outer loop."""
    unit = "patch"
    per_unit = 1 / 8

    def __init__(self, instructions, arguments):
        super().__init__(instructions, arguments)
        chunks = -(-arguments.clusters // 5)
        outer = loop_of(self.blocks, "BAR")
        hot = [b for b in outer if b.count("FFMA") >= 200]
        most = max(b.count("FFMA") for b in hot)
        # chunk 0 may have a loop of its own, which sums squares of pixels too; a first turn may be peeled off.
        own = [b for b in hot if b.is_loop and b.count("FFMA") == most and most > 300]
        other = chunks - 1 if own else chunks
        peeled = [b for b in hot if not b.is_loop]
        for block in self.blocks:
            name, turns = "once a block", 1
            if block in hot:
                name = "multiply-adds"
                turns = 7 if block in own else other if block in peeled else other * (7 - len(peeled))
            elif block in outer:
                name, turns = "scores compared, barriers", chunks
                if block.count("STS", words=4):
                    name, turns = "image, centres to shared memory", 17 / 6  # 540 quads by 6 warps
                elif block.count("STS"):
                    name, turns = "image, centres to shared memory", 13 / 6 * chunks  # 392 numbers
            self.add(name, block, turns)


class MoveKernel(Kernel):
    """move_kernel: a warp a row of patches, its lanes features; by 32 patches, and by patches that move."""
    unit = "patch or run, by a warp"
    per_unit = 1
    is_sum = False

    def __init__(self, instructions, arguments):
        super().__init__(instructions, arguments)
        # Of the two loops, that with the labels of the last pass has two shuffles.
        loops = loops_of(self.blocks)
        inner = min((loop for loop in loops if sum(b.count("SHFL") for b in loop) == 2), key=len)
        outer = min((loop for loop in loops if inner[0] in loop and len(loop) > len(inner)), key=len)
        for block in outer:
            if block not in inner:
                self.add("32 labels compared, a 32nd", block, 1 / 32)
            elif self.is_end(block, inner):
                self.add("a run of equal moves ends", block, 1)
            else:
                self.add("a patch moves", block, 1)

    @staticmethod
    def is_end(block, inner):
        """Between the comparison of labels and the load of pixels."""
        compared = max(b.start for b in inner if b.count("SHFL"))
        loads = min(b.start for b in inner if b.count("LDG"))
        return compared < block.start < loads


class SmallKernel(Kernel):
    """A kernel whose loops turn as often as data want: instructions a turn of each loop, its inner ones apart."""
    unit = "turn"
    per_unit = 1
    is_sum = False

    def __init__(self, instructions, arguments):
        super().__init__(instructions, arguments)
        loops = sorted(loops_of(self.blocks), key=len)
        for block in self.blocks:
            loop = next((loop for loop in loops if block in loop), None)
            if loop is None:
                self.add("outside loops, with functions called", block, 1)
            elif len(loop) > 1 or block.count("LDG"):
                loads = sum(b.count("LDG") for b in loop if next(l for l in loops if b in l) is loop)
                self.add(f"loop at {loop[0].start:#x}, {loads} loads a turn", block, 1)


KERNELS = [("least_of_groupsILi7E", LofKernel), ("bound_neighborsILi16E", SmallKernel),
           ("collect_neighborsILi7E", LofKernel), ("list_neighbors", SmallKernel),
           ("local_reachability_densities", SmallKernel), ("outlier_factors", SmallKernel),
           ("label_kernelILi7E", ScoreKernel), ("move_kernel", MoveKernel),
           ("distance_kernelILi7E", ScoreKernel)]


def print_kernel(name, arch, kernel, with_blocks):
    shown = re.sub(r"ILi(\d+)E$", r"<\1>", name)
    print(f"\n### {shown}, sm_{arch}: instructions a {kernel.unit}\n")
    print(f"| part | {' | '.join(CLASSES)} | all | words of shared memory |")
    print("|---" * (len(CLASSES) + 3) + "|")
    total, total_words = collections.Counter(), 0
    for part, (counter, words) in kernel.parts.items():
        total.update(counter)
        total_words += words
        print(row(part, counter, words))
    if kernel.is_sum:
        print(row("**all**", total, total_words))
    if with_blocks:
        print()
        for part, block, weight in kernel.listing:
            names = collections.Counter(i.name for i in block.instructions)
            print(f"    {block.start:5x} {block.end:5x} {weight:8.4f} {part}: "
                  + " ".join(f"{n} {c}" for n, c in names.most_common()))


def row(part, counter, words):
    cells = [f"{counter[c]:.2f}" for c in CLASSES] + [f"{sum(counter.values()):.2f}", f"{words:.2f}"]
    return f"| {part} | {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cubins", nargs="+")
    parser.add_argument("--blocks", action="store_true", help="list every block, with how often a warp runs it")
    parser.add_argument("--dates", type=int, default=363)
    parser.add_argument("--groups", type=int, default=32)
    parser.add_argument("--clusters", type=int, default=10)
    parser.add_argument("--any-hit", type=float, default=0.38,
                        help="share of dates for which one of a warp's 32 locations has a distance within its bound")
    arguments = parser.parse_args()
    for path in arguments.cubins:
        for mangled, (arch, instructions) in read_kernels(path).items():
            for name, kind in KERNELS:
                if name in mangled:
                    print_kernel(name, arch, kind(instructions, arguments), arguments.blocks)


if __name__ == "__main__":
    main()
