using Maplog.Capture.Watching;
using Xunit;

namespace Maplog.Tests.Unit.Capture;

public sealed class PinGlobTests
{
    [Fact]
    public void The_pins_that_exist_are_listed_in_order_and_none_that_is_only_a_name_for_a_moment()
    {
        var root = Directory.CreateTempSubdirectory("maplog_glob").FullName;
        try
        {
            foreach (var path in new[] { "t2/ct_map", "t1/ct_map", "t1/nat", "other/ct_map", "t3/ct_map_new_12_1" })
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, path))!);
                File.WriteAllText(Path.Combine(root, path), "");
            }
            Assert.Equal(["t1/ct_map", "t2/ct_map"], Found(root, "t?/ct_*"));
            Assert.Equal(["t1/ct_map", "t1/nat"], Found(root, "t1/*"));
            Assert.Empty(Found(root, "nothing/*"));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static IEnumerable<string> Found(string root, string glob) => new PinGlob($"{root}/{glob}").Paths().Select(p => Path.GetRelativePath(root, p));
}
