using System.Buffers.Binary;
using System.Text;
using Maplog.Kernel;
using Maplog.Walking;

namespace Maplog.Tests.Kernel.Walking;

/// <summary>A kernel whose structures are not as the walk expects them: the walk is given a changed copy of the kernel's BTF.</summary>
public sealed class ChangedLayoutTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("maplog-btf").FullName;

    [Theory]
    [InlineData("bpf_htab", "elems", 8)]
    [InlineData("bpf_htab", "elem_size", 4)]
    [InlineData("htab_elem", "key", 8)]
    [InlineData("htab_elem", "key", -16)]
    [InlineData("hlist_nulls_node", "pprev", -8)]
    [InlineData("bpf_map", "max_entries", 4)]
    public void The_walk_is_refused_with_a_sentence_and_never_reads_wrongly(string structure, string member, int moved)
    {
        var path = Path.Combine(_folder, "vmlinux");
        File.WriteAllBytes(path, Moved(structure, member, moved));
        using var table = new PokedTable("walk_test", MapType.Hash, 1000);
        table.Make(0, 500, state: 1);
        using var walks = new LinearWalks(path);
        Assert.Null(walks.TryMake(table.Map, null, out var whyNot));
        Assert.Matches("a trial on a map of our own failed|^Cannot ", whyNot!);
    }

    [Fact]
    public void A_member_that_is_gone_refuses_the_walk_with_a_sentence()
    {
        var path = Path.Combine(_folder, "vmlinux");
        var btf = File.ReadAllBytes("/sys/kernel/btf/vmlinux");
        Btf.Find(btf, "bpf_htab", "elems", out var name);
        btf.AsSpan(name, 2).Fill((byte)'z');
        File.WriteAllBytes(path, btf);
        using var table = new PokedTable("walk_test", MapType.Hash, 1000);
        using var walks = new LinearWalks(path);
        Assert.Null(walks.TryMake(table.Map, null, out var whyNot));
        Assert.StartsWith("Cannot load the BPF object walk", whyNot);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static byte[] Moved(string structure, string member, int bytes)
    {
        var btf = File.ReadAllBytes("/sys/kernel/btf/vmlinux");
        var offset = btf.AsSpan(Btf.Find(btf, structure, member, out _), sizeof(int));
        BinaryPrimitives.WriteInt32LittleEndian(offset, BinaryPrimitives.ReadInt32LittleEndian(offset) + bytes * 8);
        return btf;
    }

    /// <summary>As much of BTF as it takes to find a member of a structure.</summary>
    private static class Btf
    {
        private const int TypeSize = 12, MemberSize = 12;

        // Bytes behind a type of each kind; those with members, parameters and the like: per one of them.
        private static readonly int[] Fixed = [0, 4, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 4, 0, 0];
        private static readonly int[] PerOne = [0, 0, 0, 0, MemberSize, MemberSize, 8, 0, 0, 0, 0, 0, 0, 8, 0, 12, 0, 0, 0, 12];

        /// <returns>Where the member's offset in bits stands.</returns>
        public static int Find(byte[] btf, string structure, string member, out int nameAt)
        {
            int Read(int at) => BinaryPrimitives.ReadInt32LittleEndian(btf.AsSpan(at));
            var header = Read(4);
            int types = header + Read(8), end = types + Read(12), strings = header + Read(16);
            string Name(int offset) => Encoding.UTF8.GetString(btf, strings + offset, Array.IndexOf(btf, (byte)0, strings + offset) - strings - offset);
            for (var at = types; at < end;)
            {
                var (name, info) = (Read(at), Read(at + 4));
                int kind = info >> 24 & 0x1f, count = info & 0xffff, first = at + TypeSize + Fixed[kind];
                for (var i = 0; kind == 4 && i < count && Name(name) == structure; i++)
                {
                    if (Name(Read(first + i * MemberSize)) != member)
                        continue;
                    nameAt = strings + Read(first + i * MemberSize);
                    return first + i * MemberSize + 8;
                }
                at = first + PerOne[kind] * count;
            }
            throw new InvalidDataException($"The kernel's BTF has no {structure}.{member}.");
        }
    }
}
