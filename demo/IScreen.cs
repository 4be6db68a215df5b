namespace Maplog.Demo;

/// <summary>Where the demo is shown.</summary>
internal interface IScreen
{
    /// <summary>A sentence that stays.</summary>
    void Say(string sentence);

    /// <summary>Shows samples as they come until <paramref name="show"/> has ended.</summary>
    Task LiveAsync(Func<Task> show);

    /// <summary>How it stands now.</summary>
    void Show(Sample sample);

    /// <summary>A table.</summary>
    void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows);
}
